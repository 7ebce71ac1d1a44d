/** The codecs that options choose, by their names or as codecs of the program's own: the same for programs and pages. */
import { ForeignFormat, type ValueCodec } from './foreign.js';
import type { Slab } from './slab.js';
import { codecByName, type CodecName, type ValueFormat } from './value.js';

/** How values are written that the option `values` says this of. @throws InvalidArgumentError for a name that no codec has, and for what is no codec. */
export type CodecFor = (values: CodecName | ValueCodec<unknown>) => ValueFormat<unknown>;

/** The codecs of a store; all of them hand out bytes of the same slab, where there is one. */
export function codecsOf(slab: Slab | undefined): CodecFor {
  return (values) => {
    if (typeof values !== 'string') return new ForeignFormat(values);
    return slab === undefined ? codecByName(values) : codecByName(values, (source, start, end) => slab.copy(source, start, end));
  };
}

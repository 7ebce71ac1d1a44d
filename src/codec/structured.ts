/**
 * The encoding of values that are neither strings nor bytes: MessagePack with extensions of our own, which the default
 * codec uses. Ordinary JSON-like data goes to the library as it is; only what it would change is replaced by an
 * extension, and only the arrays and objects around such a value are copied.
 *
 * Guarantees an exact round trip of null, booleans, undefined, every number and bigint, every string, arrays, plain
 * objects with any string keys, Date, Map, Set, RegExp, ArrayBuffer, DataView, every typed array, and of errors their
 * name and message. What comes back are plain objects of this realm, and no key ever reaches a prototype. It leaves out
 * what structured cloning leaves out: symbol keys, accessors as such, holes (they become undefined), `lastIndex`.
 */
import { ExtData, type ExtensionCodecType } from '@msgpack/msgpack';
import { createPacker, type Packer } from './messagepack.js';
import { Revival } from './structured-read.js';
import { Preparation } from './structured-write.js';

/** Makes an encoder and decoder; `copyBytes` is where nested bytes go that callers may keep. */
export function createStructured(copyBytes: (source: Uint8Array, start: number, end: number) => Uint8Array): Packer {
  const extensions: ExtensionCodecType<undefined> = {
    // Everything was prepared before, so an extension is what the preparation made and nothing that a caller passed in. Bytes that were not made into one come of a getter that answers anew.
    tryToEncode: (value) => {
      if (value instanceof ExtData) return value;
      if (ArrayBuffer.isView(value)) throw new TypeError('bytes that were not there before');
      return null;
    },
    decode: (data, type) => revival.revive(data, type),
  };
  const packer = createPacker(extensions, false);
  const preparation = new Preparation(packer);
  const revival = new Revival(copyBytes, (data) => packer.decode(data, 0, data.length));
  return {
    encode: (value) => packer.encode(preparation.prepare(value, 1)),
    decode(source, start, end) {
      revival.reset();
      return packer.decode(source, start, end);
    },
  };
}

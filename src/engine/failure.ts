/** The one table between the statuses of the core and the errors that users see. */
import * as status from '../../assembly/shared/status.js';
import { isOfCaller } from '../callers.js';
import { CorruptionError, FormatError, FullError, PoisonedError, TooLargeError, type Damage, type VarveError } from '../errors.js';
import { FORMAT_VERSION, SUPERBLOCK_SIZE } from '../../assembly/shared/format.js';

const REASONS: Record<number, string> = {
  [status.REASON_FRAME_HEAD]: 'the head of a frame fails its checksum',
  [status.REASON_FRAME_BODY]: 'the records of a frame fail their checksum',
  [status.REASON_DECLARATIONS]: 'the declarations of a frame fail their checksum',
  [status.REASON_BELOW_SEAL]: 'bytes that were flushed are missing',
  [status.REASON_CONTENT]: 'a checksum is right, but what it covers makes no sense',
  [status.REASON_SEGMENT_HEADER]: 'the header of a segment fails its checksum',
  [status.REASON_SEGMENT_MISSING]: 'a segment that belongs to the store is missing',
  [status.REASON_SEGMENT_CUT]: 'a segment ends before its last frame',
  [status.REASON_SUPERBLOCK]: 'both superblocks fail their checksums',
  [status.REASON_INCOMPLETE_COMMIT]: 'a commit lacks its last part',
};

/** An error that came out of the core where it left something half-done; `cause` is what users are told. */
export class InterruptedError extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause });
    this.name = 'InterruptedError';
  }
}

/**
 * Whether an error means that the core stopped in the middle of something: a trap, or a stack that ran out within it. Its memory is then not to be trusted. A stack that
 * ran out elsewhere, such as in a codec that met a value nested too deeply, has left the core alone: only the innermost frame tells. So has what came out of code of the caller's.
 */
export function isFault(error: unknown): error is Error {
  if (typeof error === 'object' && error !== null && isOfCaller(error)) return false;
  if (error instanceof WebAssembly.RuntimeError || error instanceof InterruptedError) return true;
  if (!(error instanceof Error) || !/call stack|recursion/i.test(error.message)) return false;
  const innermost = error.stack?.split('\n').find((line) => /^\s*at |@/.test(line)) ?? '';
  return innermost.includes('wasm');
}

/** The words for a reason of the core. */
export function reasonText(reason: number): string {
  return REASONS[reason] ?? 'the structure of the store contradicts itself';
}

/** The error for damage: the first place in words, all of them in its fields. */
export function corruption(name: string, first: Damage, ...others: readonly Damage[]): CorruptionError {
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return new CorruptionError(
    `${name} is damaged: ${first.reason} (segment ${first.segment}, offset ${first.offset} of the file)${more}. The file was left as it is. ` +
    'Restore a backup, or open it with { salvage: true } to read what is intact.', [first, ...others]);
}

/** The error for a store of which salvage finds no segment. */
export function nothingIntact(name: string, first: Damage, ...others: readonly Damage[]): CorruptionError {
  return new CorruptionError(
    `${name} is damaged, and no segment of it is intact: ${first.reason} (segment ${first.segment}, offset ${first.offset} of the file). The file was left as it is. Restore a backup.`, [first, ...others]);
}

/** What everyone is told after a failure that has stopped the store. */
export function poisoned(name: string, cause: Error): PoisonedError {
  return new PoisonedError(`${name} has stopped after a failure: ${cause.message} Close it and open it again to recover.`, { cause });
}

/** The error for a status that is no answer to the caller's question. */
export function failure(code: number, name: string, formatVersion = 0): VarveError {
  switch (code) {
    case status.STATUS_MEMORY_FULL:
      return new FullError(`${name} has no memory left: nothing was changed. Delete what is not needed, or open it with a larger memory.limit.`);
    case status.STATUS_TOO_MANY_SEGMENTS:
      return new FullError(`${name} has more segments than its segment size allows: nothing was changed. Delete what is not needed, or make a store with a larger segmentSize.`);
    case status.STATUS_TOO_LARGE:
      return new TooLargeError(`The key and value do not fit into a segment of ${name}: nothing was changed. Make a store with a larger segmentSize for such keys.`);
    case status.STATUS_FORMAT_TOO_NEW:
      return new FormatError(`${name} has format version ${formatVersion}, and this release reads up to ${FORMAT_VERSION}: install a newer varve. The file was not touched.`, formatVersion, FORMAT_VERSION);
    case status.STATUS_NOT_VARVE:
      return new FormatError(`${name} is not a varve store. The file was not touched.`);
    default:
      return new CorruptionError(`${name}: ${REASONS[status.REASON_SUPERBLOCK] ?? ''}. The file was left as it is. Restore a backup, or open it with { salvage: true } to read what is intact.`,
        [superblockDamage()]);
  }
}

/** What there is to say where both superblocks are lost. */
export function superblockDamage(): Damage {
  return { segment: 0, offset: 0, bytes: 2 * SUPERBLOCK_SIZE, reason: reasonText(status.REASON_SUPERBLOCK), versions: undefined };
}

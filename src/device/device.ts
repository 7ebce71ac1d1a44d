/**
 * The contract between a store and the medium it lies on: bytes in, bytes out, flush, size. A device does not know
 * what the bytes mean. The suite in `test/contract/device.ts` is this contract, executable.
 *
 * Obligations of every device:
 * - `read` returns what was last written, whether it was flushed or not; a short read means the end of the file, never an error.
 * - `write` returns only when every byte was accepted; when it throws, any prefix of the range may have been written
 *   and nothing outside the range has changed.
 * - When `flushSync` returns, or the promise of `flush` resolves, every write that returned before the call survives power loss.
 *   Writes made during an asynchronous flush may or may not be covered by it.
 * - After a failed flush the device makes no promise about any byte that was not flushed before, and it is not asked again.
 * - Errors are thrown as `DeviceError`.
 */
export interface Device {
  /** What messages call this device: the path of the file, or `:memory:`. */
  readonly name: string;
  /** True when `write`, `truncate` and the flushes are refused. */
  readonly readOnly: boolean;
  /** The size of the file in bytes. */
  size(): number;
  /** Fills `target` from `offset` on. Returns the number of bytes read, smaller than `target.length` only at the end of the file. */
  read(target: Uint8Array, offset: number): number;
  /** As `read`, to `target[start, start + length)`: the same without a view, of which making one costs a tenth of a small read. Absent where the platform wants views. */
  readInto?(target: Uint8Array, start: number, length: number, offset: number): number;
  /** Writes `source[start, start + length)` at `offset`, extending the file where it ends before. */
  write(source: Uint8Array, start: number, length: number, offset: number): void;
  /** Makes every finished write durable, blocking. */
  flushSync(): void;
  /** Makes every write that finished before the call durable, without blocking the event loop. */
  flush(): Promise<void>;
  /** Sets the size of the file; bytes gained are zero. */
  truncate(size: number): void;
  /** Throws where the name no longer leads to this file, as a whole: asked before a store says that it was closed in order. Absent where nobody can take a file away, or the device itself looks now and then. */
  confirmPlace?(): void;
  /** Releases the device, and its lock. Idempotent. Never flushes. */
  close(): void;
  /**
   * Zero-fills and flushes ranges in the background, without needing a turn of the caller's event loop; absent where
   * the platform has no such means.
   */
  readonly background?: BackgroundZeroing | undefined;
}

/** A queue of ranges that something beside the caller's thread zero-fills and flushes, in order. */
export interface BackgroundZeroing {
  /** Queues `[offset, offset + length)`. Returns at once. */
  zero(offset: number, length: number): void;
  /** How many of the queued ranges are zero and durable, counted since the device was opened. Cheap enough to poll. */
  completed(): number;
  /** The error that stopped the queue, if one did; what was queued and not completed must then be done by the caller. */
  failure(): DeviceError | undefined;
}

/** What went wrong at a device, in terms that every platform shares. */
export type DeviceErrorKind = 'full' | 'io' | 'permission' | 'missing' | 'closed';

/** The one error that devices throw. `cause` is the platform's own error. */
export class DeviceError extends Error {
  readonly kind: DeviceErrorKind;
  /** The operation that failed: `read`, `write`, `flush`, `truncate`, `open`. */
  readonly operation: string;

  constructor(kind: DeviceErrorKind, operation: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DeviceError';
    this.kind = kind;
    this.operation = operation;
  }
}

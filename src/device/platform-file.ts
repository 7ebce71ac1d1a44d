/** What every platform gives for the path of a store. */
import type { Device } from './device.js';

/** A file that was opened for a store, with its lock. */
export interface PlatformFile {
  readonly device: Device;
  /** For a reader, after it has read: throws `LockedError` when a writer has come meanwhile. */
  confirm(): Promise<void>;
  /** Gives device and lock back. Idempotent. */
  release(): void;
}

/** What every platform gives: files for the paths of stores, and channels to those who watch them. */
import type { Device } from './device.js';

/** A file that was opened for a store, with its lock. */
export interface PlatformFile {
  readonly device: Device;
  /** For a reader, after it has read: throws `LockedError` when a writer has come meanwhile. */
  confirm(): Promise<void>;
  /** Gives device and lock back. Idempotent. */
  release(): void;
}

/** A file that is being made, and that nobody sees under its name before it is whole. */
export interface NewFile {
  readonly device: Device;
  /** Gives it its name. Resolves when that is durable, and the device is closed. What was flushed before is whole; call it once, last. */
  commit(): Promise<void>;
  /** Removes it. Idempotent, and without effect once it has its name. Where the platform does so in its own time, resolves when it has. */
  discard(): void | Promise<void>;
}

/** Channels on which something that begins and ends is told. */
export interface TracingChannels {
  readonly start: TracingChannel;
  readonly end: TracingChannel;
  readonly asyncStart: TracingChannel;
  readonly asyncEnd: TracingChannel;
  readonly error: TracingChannel;
}

/** One channel: whether anybody listens, and what tells them. */
export interface TracingChannel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

/** What differs between platforms, chosen at run time: where files are, how a process ends, which buffers can be kept from being transferred. */
import { PlatformError } from '../errors.js';
import type { Device } from './device.js';
import { createNodeFile } from './node-new-file.js';
import { openNodeFile } from './node-open.js';

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
  /** Removes it. Idempotent, and without effect once it has its name. */
  discard(): void;
}

interface NodeProcess {
  getBuiltinModule?: (name: string) => unknown;
  on(event: 'exit', listener: () => void): void;
  off(event: 'exit', listener: () => void): void;
}

/** The process, in runtimes that have Node's. */
function nodeProcess(): NodeProcess | undefined {
  const candidate = (globalThis as { process?: NodeProcess }).process;
  return typeof candidate?.getBuiltinModule === 'function' ? candidate : undefined;
}

/** How much address space a store sets aside, in bytes: a process has plenty, a page on a small device may not. */
export function initialMemorySize(): number {
  return nodeProcess() === undefined ? 16 << 20 : 256 << 20;
}

/** Opens or creates the file of a store, and takes its lock. */
export async function openPlatformFile(path: string, options: { create: boolean; readOnly: boolean }): Promise<PlatformFile> {
  if (nodeProcess() === undefined) throw new PlatformError("This platform has no files that varve knows. Open ':memory:'.");
  return openNodeFile(path, options);
}

/** Makes the file of a copy beside `path`, which it gets as its name when it is whole. */
export async function createPlatformFile(path: string, options: { overwrite: boolean }): Promise<NewFile> {
  if (nodeProcess() === undefined) throw new PlatformError('This platform has no files that varve knows. Use a stream.');
  return createNodeFile(path, options);
}

/** Resolves in a later turn of the event loop, when what waits for its turn has had it. */
export function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (action: () => void) => void };
  return new Promise((resolve) => (setImmediate === undefined ? setTimeout(resolve) : setImmediate(resolve)));
}

/** Runs an action when the process ends in order. Returns what takes it back. */
export function atProcessExit(action: () => void): () => void {
  const process = nodeProcess();
  process?.on('exit', action);
  return () => process?.off('exit', action);
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

/** The diagnostics channels of a name, in runtimes that have them. */
export function tracingChannels(name: string): TracingChannels | undefined {
  const channels = nodeProcess()?.getBuiltinModule?.('node:diagnostics_channel') as { tracingChannel?: (name: string) => TracingChannels } | undefined;
  return typeof channels?.tracingChannel === 'function' ? channels.tracingChannel(name) : undefined;
}

/** What marks a buffer so that it cannot be transferred away from those who share it, where the platform can. */
export function markUntransferable(): ((buffer: ArrayBuffer) => void) | undefined {
  const threads = nodeProcess()?.getBuiltinModule?.('node:worker_threads') as { markAsUntransferable?: (buffer: ArrayBuffer) => void } | undefined;
  return threads?.markAsUntransferable;
}

/** What differs between platforms, chosen at run time: where files are, how a process ends, which buffers can be kept from being transferred. */
import { createNodeFile } from './node-new-file.js';
import { openNodeFile } from './node-open.js';
import type { NewFile, PlatformFile, TracingChannels } from './platform-file.js';
import * as web from './web-platform.js';

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
  return nodeProcess() === undefined ? web.initialMemorySize() : 256 << 20;
}

/** Opens or creates the file of a store, and takes its lock. */
export async function openPlatformFile(path: string, options: { create: boolean; readOnly: boolean }): Promise<PlatformFile> {
  return nodeProcess() === undefined ? web.openPlatformFile(path, options) : openNodeFile(path, options);
}

/** Makes the file of a copy beside `path`, which it gets as its name when it is whole. */
export async function createPlatformFile(path: string, options: { overwrite: boolean }): Promise<NewFile> {
  return nodeProcess() === undefined ? web.createPlatformFile(path, options) : createNodeFile(path, options);
}

/** Resolves in a later turn of the event loop, when what waits for its turn has had it. */
export function nextTurn(): Promise<void> {
  const { setImmediate } = globalThis as { setImmediate?: (action: () => void) => void };
  return setImmediate === undefined ? web.nextTurn() : new Promise((resolve) => setImmediate(resolve));
}

/** Runs an action when the process ends in order. Returns what takes it back. */
export function atProcessExit(action: () => void): () => void {
  const process = nodeProcess();
  process?.on('exit', action);
  return () => process?.off('exit', action);
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

/** `platform.ts` for browsers, in whose bundles it takes that place, so that they carry nothing of Node. */
import { PlatformError } from '../errors.js';
import { createOpfsFile } from './opfs-new-file.js';
import { hasOpfs, openOpfsFile } from './opfs-open.js';
import type { NewFile, PlatformFile } from './platform-file.js';

/** How much address space a store sets aside, in bytes: a page on a small device has little. */
export function initialMemorySize(): number {
  return 16 << 20;
}

/** Opens or creates the file of a store, which is then this worker's alone. */
export async function openPlatformFile(path: string, options: { create: boolean; readOnly: boolean }): Promise<PlatformFile> {
  if (hasOpfs()) return openOpfsFile(path, options);
  throw noFiles();
}

function noFiles(): PlatformError {
  return new PlatformError("Code that runs here has no files: in a browser a store lies in files that only dedicated workers have, of sites that are secure (https, or localhost). Import from 'varve/browser' in a page, or open ':memory:'.");
}

/** Makes the file of a copy, which gets the name `path` when it is whole. */
export async function createPlatformFile(path: string, options: { overwrite: boolean }): Promise<NewFile> {
  if (hasOpfs()) return createOpfsFile(path, options);
  throw noFiles();
}

/** Resolves in a later turn of the event loop. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve);
  });
}

/** Browsers have no diagnostics channels. */
export function tracingChannels(): undefined {
  return undefined;
}

/** A worker is told of no end. */
export function atProcessExit(): () => void {
  return () => undefined;
}

/** Browsers let every buffer be transferred. */
export function markUntransferable(): undefined {
  return undefined;
}

/** Stores for tests: on any device, with everything that comes from outside held still. */
import { readFileSync } from 'node:fs';
import type { Device } from '../../src/device/device.js';
import { openInMemory, openOnDevice, type Surroundings } from '../../src/open.js';
import { resolveOptions, type OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import { Random } from './random.js';

let debug: WebAssembly.Module | undefined;

/** The core as the debug target builds it: its assertions name their places, and it can verify itself after every mutation. */
export function debugModule(): WebAssembly.Module {
  debug ??= new WebAssembly.Module(readFileSync(new URL('../../build/varve.debug.wasm', import.meta.url)));
  return debug;
}

/** In the second mode of tests, `VARVE_BLOCKS=n`, so many blocks of every store are in memory, and the rest is read when it is asked for. */
const BLOCKS = process.env['VARVE_BLOCKS'];
/** There every store writes images of its index, too. */
const IN_SECOND_MODE = BLOCKS === undefined ? {} : { blocks: Number(BLOCKS), imageSegments: 1 };

/** A clock that stands still, or the one given, and randomness that repeats. */
export function stillSurroundings(seed: number, checks = false, now = (): number => 1_700_000_000_000): Surroundings {
  const random = new Random(seed);
  return { now, random: (size) => random.bytes(size), checks, ...IN_SECOND_MODE };
}

/** Opens a store on a device, with little memory set aside, because tests open very many. `more` is of what comes from outside, too. */
export function openStore(device: Device, options: OpenOptions = {}, seed = 1, checks = false, now?: () => number, more: Partial<Surroundings> = {}): Store {
  const settings = resolveOptions({ ...options, memory: { initial: 1 << 20, ...options.memory }, ...(checks ? { module: debugModule() } : {}) });
  return openOnDevice(device, settings, () => device.close(), { ...stillSurroundings(seed, checks, now), ...more });
}

/** Opens a store without a file. */
export function openInMemoryStore(options: OpenOptions = {}, seed = 1): Store {
  return openInMemory(resolveOptions(options), stillSurroundings(seed));
}

/** As `openStore`, of a store of which so many blocks of a segment's size are in memory: the rest is read when it is asked for. */
export function openPaged(device: Device, options: OpenOptions = {}, seed = 1, blocks = 8, checks = false): Store {
  const settings = resolveOptions({ ...options, memory: { initial: 1 << 20, ...options.memory }, ...(checks ? { module: debugModule() } : {}) });
  return openOnDevice(device, settings, () => device.close(), { ...stillSurroundings(seed, checks), blocks, imageSegments: 1 });
}

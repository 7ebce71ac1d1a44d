/**
 * One engine for very many stores. Making an engine costs more than opening a small store with it, so this one is put back to how it was made: the module is the shipped one with its globals exported
 * besides, and between two stores every global and every byte of memory that was touched get back what they held at first. Nothing else in a module can change.
 */
import { readFileSync } from 'node:fs';
import * as layout from '../../assembly/shared/layout.js';
import { Engine } from '../../src/engine/engine.js';

const SECTION_GLOBAL = 6;
const SECTION_EXPORT = 7;
const KIND_GLOBAL = 3;
const HEADER_SIZE = 8;
const NAME = /^g\d+$/;
/** Where the core says how much memory it has touched. */
const TOUCHED = layout.CONTROL_STATS + layout.STAT_MEMORY_SIZE * 8;
/** Enough for the small stores of tests; a recovery that wants more than this has believed a length that it should not have. */
const MEMORY_RANGE = { initial: 1 << 20, limit: 1 << 28 };

function encode(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}

/** The bytes of a module with every global of its own exported, as `g0`, `g1` and so on. */
function withGlobals(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  let at = HEADER_SIZE;
  const decode = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++]!;
      value |= (byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  const parts: (Uint8Array | number[])[] = [bytes.subarray(0, HEADER_SIZE)];
  let globalCount = 0;
  while (at < bytes.length) {
    const id = bytes[at++]!;
    const size = decode();
    const begin = at;
    const end = begin + size;
    let payload = [bytes.subarray(begin, end)];
    if (id === SECTION_GLOBAL) globalCount = decode();
    if (id === SECTION_EXPORT) {
      const count = decode();
      const added = Array.from({ length: globalCount }, (_, index) => {
        const name = Buffer.from(`g${index}`);
        return [name.length, ...name, KIND_GLOBAL, ...encode(index)];
      }).flat();
      payload = [Uint8Array.from(encode(count + globalCount)), bytes.subarray(at, end), Uint8Array.from(added)];
    }
    parts.push([id, ...encode(payload.reduce((sum, part) => sum + part.length, 0))], ...payload);
    at = end;
  }
  return new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));
}

let compiled: WebAssembly.Module | undefined;

function moduleWithGlobals(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(withGlobals(readFileSync(new URL('../../build/varve.wasm', import.meta.url))));
  return compiled;
}

export class ResetEngine {
  /** How often it was put back, and how often it had to be made anew. */
  resets = 0;
  made = 0;
  readonly #now: () => number;
  #engine!: Engine;
  #globals: readonly WebAssembly.Global[] = [];
  #initial: readonly unknown[] = [];
  /** What memory held at first, up to the last byte that was not zero. */
  #memory = new Uint8Array(0);
  #memorySize = 0;

  constructor(now: () => number) {
    this.#now = now;
    this.#make();
  }

  #make(): void {
    this.made++;
    const engine = new Engine('simulated', MEMORY_RANGE, this.#now, moduleWithGlobals());
    const exported: Record<string, unknown> = { ...engine.core };
    this.#globals = Object.keys(exported).filter((name) => NAME.test(name)).map((name) => exported[name] as WebAssembly.Global);
    this.#initial = this.#globals.map((global) => global.value as unknown);
    let end = engine.bytes.length;
    while (end > 0 && engine.bytes[end - 1] === 0) end--;
    this.#memory = engine.bytes.slice(0, end);
    this.#memorySize = engine.bytes.length;
    this.#engine = engine;
  }

  /** The engine, as it was made. Whoever had it before must be done with it. */
  take(): Engine {
    const engine = this.#engine;
    // One that stopped in the middle, or has grown, is not what it was.
    if (engine.isBroken || engine.memory.buffer.byteLength !== this.#memorySize) {
      this.#make();
      return this.#engine;
    }
    this.resets++;
    const { bytes } = engine;
    const touched = this.#touched(engine);
    bytes.set(this.#memory);
    bytes.fill(0, this.#memory.length, touched);
    const globals = this.#globals;
    for (let index = 0; index < globals.length; index++) globals[index]!.value = this.#initial[index];
    engine.segmentSize = 0;
    return engine;
  }

  /** Where the memory begins that no store has touched. */
  #touched(engine: Engine): number {
    engine.core.stats();
    return engine.number(TOUCHED);
  }
}

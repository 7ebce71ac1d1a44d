/**
 * Puts the instrumented core in the place of the shipped one, for this process: whoever compiles the bytes of `build/varve.wasm` gets the module with counters, and every instance
 * counts into the same ones. With a pool, instances that follow one another are one instance over one memory, set back to where it began: opening a store then costs neither.
 */
import { readFileSync } from 'node:fs';
import { COUNTER_MODULE, TURNS_MAX, instrument, type Instrumented, type Limits } from './instrument.js';

interface CountingExports {
  readCounters(pointer: number): void;
  clearCounters(): void;
  resetGlobals(): void;
}

/** An instance whose memory has not grown, and what its memory held before the first call. */
interface Pooled {
  readonly memory: WebAssembly.Memory;
  readonly instance: WebAssembly.Instance;
  readonly size: number;
  readonly data: Uint8Array;
}

const PAGE_SIZE = 65536;
/** Static data of the core lies below. */
const DATA_SIZE = PAGE_SIZE;

let shared: CountedCore | undefined;

export class CountedCore {
  readonly instrumented: Instrumented;
  readonly module: WebAssembly.Module;
  readonly #shipped: Uint8Array;
  readonly #counters: WebAssembly.Global[];
  readonly #values: Uint32Array;
  #last: WebAssembly.Instance | undefined;
  #lastMemory: WebAssembly.Memory | undefined;
  #pooled: Pooled | undefined;
  /** What the instance of the pool calls: it serves one store after the other. */
  #host: WebAssembly.ModuleImports = {};
  #isPooled = false;
  #isInstalled = false;
  /** What was counted before the counters were cleared, where that is wanted. */
  #total: Uint32Array | undefined;

  /** The one of this process: instances count together. Whoever asks first decides of limits. */
  static shared(limits: Limits): CountedCore {
    return (shared ??= new CountedCore(limits));
  }

  private constructor(limits: Limits) {
    this.#shipped = readFileSync(new URL('../../build/varve.wasm', import.meta.url));
    this.instrumented = instrument(this.#shipped, limits);
    this.module = new WebAssembly.Module(this.instrumented.bytes);
    this.#counters = this.instrumented.arms.map(() => new WebAssembly.Global({ value: 'i32', mutable: true }, 0));
    this.#values = new Uint32Array(this.#counters.length);
  }

  /** Takes the place of the shipped core, in everything that is compiled or instantiated from now on. */
  install({ isPooled = false, isTotalled = false }): void {
    this.#isPooled = isPooled;
    if (isTotalled) this.#total = new Uint32Array(this.#values.length);
    if (this.#isInstalled) return;
    this.#isInstalled = true;
    const { Module, Instance, Memory } = WebAssembly;
    const counters = Object.fromEntries(this.#counters.map((counter, index) => [`${index}`, counter]));
    const compile = (bytes: BufferSource): WebAssembly.Module => (this.#isShipped(bytes) ? this.module : new Module(bytes));
    const instantiate = (module: WebAssembly.Module, imports?: WebAssembly.Imports): WebAssembly.Instance => {
      if (module !== this.module) return new Instance(module, imports);
      const host = imports!['env'] as WebAssembly.ModuleImports & { memory: WebAssembly.Memory };
      const { memory } = host;
      if (this.#isPooled) this.#host = host;
      if (memory === this.#pooled?.memory) return this.#pooled.instance;
      const env = this.#isPooled ? { ...host, readSlot: this.#forward('readSlot'), readAhead: this.#forward('readAhead'), refuse: this.#forward('refuse') } : host;
      const instance = new Instance(module, { env, [COUNTER_MODULE]: counters });
      this.#last = instance;
      this.#lastMemory = memory;
      if (this.#isPooled) this.#pooled = { memory, instance, size: memory.buffer.byteLength, data: new Uint8Array(memory.buffer, 0, DATA_SIZE).slice() };
      return instance;
    };
    const allocate = (range: WebAssembly.MemoryDescriptor): WebAssembly.Memory => (this.#isPooled ? this.#recycle(range.initial * PAGE_SIZE) : undefined) ?? new Memory(range);
    // Each stands for a constructor: what it returns is what `new` gives.
    WebAssembly.Module = Object.assign(function (bytes: BufferSource) { return compile(bytes); }, { prototype: Module.prototype }) as never;
    WebAssembly.Instance = Object.assign(function (module: WebAssembly.Module, imports?: WebAssembly.Imports) { return instantiate(module, imports); }, { prototype: Instance.prototype }) as never;
    WebAssembly.Memory = Object.assign(function (range: WebAssembly.MemoryDescriptor) { return allocate(range); }, { prototype: Memory.prototype }) as never;
  }

  /** A function that calls the one of that name that the newest store has brought. */
  #forward(name: string): (...parameters: unknown[]) => unknown {
    return (...parameters) => (this.#host[name] as (...parameters: unknown[]) => unknown)(...parameters);
  }

  #isShipped(source: BufferSource): boolean {
    const bytes = ArrayBuffer.isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source);
    return Buffer.compare(bytes, this.#shipped) === 0;
  }

  /** The memory of the pool as it was at first, if it still has its first size. */
  #recycle(size: number): WebAssembly.Memory | undefined {
    const pooled = this.#pooled;
    if (pooled === undefined || pooled.size !== size || pooled.memory.buffer.byteLength !== size) {
      this.#pooled = undefined;
      return undefined;
    }
    const bytes = new Uint8Array(pooled.memory.buffer);
    bytes.fill(0);
    bytes.set(pooled.data);
    (pooled.instance.exports as unknown as CountingExports).resetGlobals();
    return pooled.memory;
  }

  /** The memory of the newest instance, in bytes. */
  get memorySize(): number {
    return this.#lastMemory?.buffer.byteLength ?? 0;
  }

  /** Has the core trap the next time that it comes to an arm. Only with limits for all. */
  trapAt(arm: number): void {
    this.#counters[arm]!.value = TURNS_MAX;
  }

  clear(): void {
    this.#total?.set(this.total());
    if (this.#last === undefined) for (const counter of this.#counters) counter.value = 0;
    else (this.#last.exports as unknown as CountingExports).clearCounters();
  }

  /** What was counted since `clear`, by counter; valid until the next call. Overwrites the beginning of the newest instance's memory: its store must be done. */
  read(): Uint32Array {
    if (this.#last === undefined) return this.#values.fill(0);
    (this.#last.exports as unknown as CountingExports).readCounters(0);
    this.#values.set(new Uint32Array(this.#lastMemory!.buffer, 0, this.#values.length));
    return this.#values;
  }

  /** Everything that was ever counted, by counter, wrapping. Leaves every instance alone, and is slow. */
  total(): Uint32Array {
    return this.#counters.reduce((total, counter, index) => {
      total[index]! += counter.value as number;
      return total;
    }, this.#total?.slice() ?? new Uint32Array(this.#counters.length));
  }
}

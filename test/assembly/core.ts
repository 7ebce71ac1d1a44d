/** An instance of the debug core alone, for tests of its parts. */
import { readFileSync } from 'node:fs';

export interface Inside {
  allocate(shift: number): number;
  release(block: number, shift: number): void;
  init(segmentShift: number, inMemory: boolean, isNew: boolean): void;
  letLeave(limit: number, blockMax: number): void;
  xxh64(pointer: number, size: number, seed: number): number;
  seedHash(low: number, high: number): void;
  keyHash(pointer: number, size: number): number;
  sealRecord(record: number, flags: number, keySize: number, valueSize: number, offset: number): number;
  checkRecord(record: number, limit: number, offset: number): number;
  sealFrame(frame: number, size: number, recordCount: number, offset: number): number;
  judgeFrame(frame: number, limit: number, offset: number): number;
}

const bytes = readFileSync(new URL('../../build/varve.debug.wasm', import.meta.url));

/** Parts are tested on what is in memory. */
function nothingToRead(): never {
  throw new Error('a part of the core asked for bytes that are not in memory');
}

/** A fresh core whose memory may grow to so many pages of 64 KiB. */
export function makeCore(pagesMax = 1024): { inside: Inside; memory: WebAssembly.Memory; bytes: () => Uint8Array } {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: pagesMax });
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory, readSlot: nothingToRead, readAhead: nothingToRead, refuse: nothingToRead } });
  return { inside: instance.exports as unknown as Inside, memory, bytes: () => new Uint8Array(memory.buffer) };
}

/** Values that are kept in parts: read back whole, part by part. */
import * as layout from '../../assembly/shared/layout.js';
import type { ValueReader } from '../codec/value.js';
import type { Engine } from './engine.js';

/** Copies the parts of the value that the last lookup found into `target`, which has room for all of it. */
export function copyLarge(engine: Engine, target: Uint8Array): void {
  const { core } = engine;
  const list = engine.word(layout.CONTROL_VALUE_POINTER);
  const count = core.partCount();
  let offset = 0;
  for (let index = 0; index < count; index++) {
    const size = engine.after(core.partAt(list, index)) >>> 0;
    const pointer = engine.word(layout.CONTROL_OUTPUT_POINTER);
    target.set(engine.bytes.subarray(pointer, pointer + size), offset);
    offset += size;
  }
}

/** The value in parts that the last lookup found. */
export function readLarge<V>(engine: Engine, kind: number, codec: ValueReader<V>): V {
  const bytes = new Uint8Array(engine.core.largeSize() >>> 0);
  copyLarge(engine, bytes);
  return codec.read(bytes, 0, bytes.length, kind);
}

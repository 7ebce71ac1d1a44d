/** The versions of a key that are kept, from the newest on. */
import { RECORD_FLAG_TOMBSTONE } from '../assembly/shared/format.js';
import type { Space } from './codec/space.js';
import type { Engine } from './engine/engine.js';
import type { Kernel } from './kernel.js';
import type { Change } from './reader.js';

const BEHIND_ALL = 2 ** 48;

/** Walks the versions of a key. Each step looks anew, so what is given up meanwhile is left out, and what is written since does not show. */
export function* historyOf<V, K>(kernel: Kernel, key: K, space: Space<K, V>): Generator<Change<V, K>, void, undefined> {
  for (let before = BEHIND_ALL; ;) {
    kernel.checkReadable();
    const change = kernel.guard(() => changeBefore(kernel.engine, key, space, before));
    if (change === undefined) return;
    yield change;
    before = change.version;
  }
}

/** The newest version of a key below another, or undefined. */
function changeBefore<V, K>(engine: Engine, key: K, space: Space<K, V>, before: number): Change<V, K> | undefined {
  const kind = engine.findBefore(key, before, space);
  if (kind < 0) return undefined;
  const version = engine.foundVersion;
  const time = engine.foundTime;
  const deleted = (kind & RECORD_FLAG_TOMBSTONE) !== 0;
  const value = deleted ? undefined : engine.found(kind, space.values);
  return { key, value, version, deleted, time };
}

/** Keyspaces: parts of a store, each with its own keys, its own values and its own order. Transactions, batches and snapshots span them. */
import { Collection } from './collection.js';
import type { Key } from './codec/key.js';
import { KEYSPACES_FROM, KEYSPACES_TO, keyspaceNameOf, nextName, prefixOf } from './codec/keyspace-name.js';
import type { Space } from './codec/space.js';
import type { EngineScan } from './engine/scan.js';
import { stageTombstone } from './engine/staging.js';
import type { Kernel } from './kernel.js';
import { claim } from './ownership.js';
import type { Bounds } from './range.js';

/** A keyspace of a store: everything that the store can do with keys, it can do with its own. Get one with `db.keyspace(name)`; it exists as long as it holds a key. */
export class Keyspace<V = unknown, K = Key, In = V> extends Collection<V, K, In> {
  /** The name that it has in its store. */
  readonly name: string;

  /** @internal Use `db.keyspace(name)`. */
  constructor(kernel: Kernel, space: Space<K, V>) {
    super(kernel, space);
    this.name = space.name!;
    claim(this, space as Space<unknown, unknown>, kernel.engine);
  }
}

/** Runs a scan over encoded bounds, as of now, until `visit` returns false. */
function visit(kernel: Kernel, from: Uint8Array, to: Uint8Array, each: (scan: EngineScan) => boolean): void {
  const bounds: Bounds = { from, to, isReverse: false, limit: Infinity };
  const open = kernel.holds.scan(kernel, bounds, false, {});
  try {
    while (open.scan.next() && each(open.scan));
  } finally {
    open.close();
  }
}

/** The names of the keyspaces that hold a key, in order. O(k log n) for k of them. */
export function keyspaceNames(kernel: Kernel): string[] {
  const names: string[] = [];
  let from: Uint8Array = KEYSPACES_FROM;
  for (let isFound = true; isFound;) {
    isFound = false;
    visit(kernel, from, KEYSPACES_TO, (scan) => {
      const name = keyspaceNameOf(scan.keyBytes);
      names.push(name);
      from = nextName(name);
      isFound = true;
      return false;
    });
  }
  return names;
}

/** Deletes every key of a keyspace, as one commit. Returns its version, 0 where there was none. O(keys). */
export function dropKeyspace(kernel: Kernel, name: string): number {
  const { engine } = kernel;
  const keys: Uint8Array[] = [];
  visit(kernel, prefixOf(name), nextName(name), (scan) => keys.push(scan.keyBytes) > 0);
  return engine.inBatch(() => {
    for (const key of keys) stageTombstone(engine, key);
  });
}

/** Which store a keyspace belongs to, and which of its keys are the keyspace's: for those who are handed one. */
import type { Space } from './codec/space.js';
import type { Engine } from './engine/engine.js';
import { InvalidArgumentError } from './errors.js';
import type { Keyspace } from './keyspace.js';

const owners = new WeakMap<object, { readonly space: Space<unknown, unknown>; readonly engine: Engine }>();

/** Notes whose a keyspace is. */
export function claim(keyspace: object, space: Space<unknown, unknown>, engine: Engine): void {
  owners.set(keyspace, { space, engine });
}

/** The space of a keyspace of the store that `engine` is of. Throws `InvalidArgumentError` for another's. */
export function spaceOf<V, K>(keyspace: Keyspace<V, K, never>, engine: Engine): Space<K, V> {
  const owner = owners.get(keyspace);
  if (owner === undefined) throw new InvalidArgumentError('This is no keyspace: get one with db.keyspace(name).');
  if (owner.engine !== engine) throw new InvalidArgumentError(`The keyspace ${owner.space.name} belongs to another store: get it from this one with db.keyspace(name).`);
  return owner.space as Space<K, V>;
}

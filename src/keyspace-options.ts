/** The options of `keyspace`: what they mean and what is refused, the same for programs and pages. */
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { checkOptionsOf } from './abort.js';
import type { CodecFor } from './codec/chosen.js';
import type { ValueCodec } from './codec/foreign.js';
import { Space, type KeyCodec } from './codec/space.js';
import type { CodecName, ValueFormat } from './codec/value.js';
import { InvalidArgumentError } from './errors.js';

export interface KeyspaceOptions<V, K, In> {
  /** How its keys are told as keys of the store. Default: they are such keys. */
  keys?: KeyCodec<K>;
  /** How its values are encoded: a name, or a codec of one's own. Default: as those of the store. */
  values?: CodecName | ValueCodec<V>;
  /** Checks each value that is put, and may change it. Any validator that follows Standard Schema and does not wait. */
  schema?: StandardSchemaV1<In, V>;
}

/** The space of the keyspace of this name in a store whose own values are written as `ofStore`. @throws InvalidArgumentError. */
export function spaceOf<V, K, In>(name: string, options: KeyspaceOptions<V, K, In>, codecFor: CodecFor, ofStore: ValueFormat<unknown>): Space<K, V> {
  if (typeof name !== 'string') throw new InvalidArgumentError('keyspace takes the name of a keyspace.');
  checkOptionsOf('keyspace', options);
  const { keys, values, schema } = options;
  if (keys !== undefined && (typeof keys?.toKey !== 'function' || typeof keys.fromKey !== 'function')) throw new InvalidArgumentError('The option keys takes an object with toKey and fromKey.');
  if (schema !== undefined && typeof schema?.['~standard']?.validate !== 'function') throw new InvalidArgumentError('The option schema takes a validator that follows Standard Schema.');
  const format = values === undefined ? ofStore : codecFor(values);
  return new Space(name, keys, format as ValueFormat<V>, schema as StandardSchemaV1<unknown, V> | undefined);
}

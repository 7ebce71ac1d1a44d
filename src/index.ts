/** varve: an embedded, transactional, multi-version key-value store. This file only exports. */
export type { BatchOperation } from './batch.js';
export type { Key } from './codec/key.js';
export type { CodecName, ValueCodec } from './codec/value.js';
export type { Durability } from './durability/commits.js';
export type { Recovery } from './durability/recover.js';
export type { Damage } from './engine/failure.js';
export * from './errors.js';
export { open } from './open.js';
export type { OpenOptions } from './options.js';
export type { Snapshot } from './snapshots.js';
export type { Stats } from './stats.js';
export type { TransactOptions } from './transact.js';
export type { Isolation, Transaction } from './transaction.js';
export { Store, type CasResult, type Entry, type Version } from './store.js';

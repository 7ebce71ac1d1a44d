/** varve: an embedded, transactional, multi-version key-value store. This file only exports. */
/// <reference lib="es2018.asynciterable" preserve="true" />
/// <reference lib="es2022.error" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
export type { BackupOptions, BackupReport } from './backup.js';
export type { BatchOperation } from './batch.js';
export type { ValueCodec } from './codec/foreign.js';
export type { Key } from './codec/key.js';
export type { KeyCodec } from './codec/space.js';
export type { CodecName } from './codec/value.js';
export type { CasResult } from './collection.js';
export type { CompactOptions, Compacted } from './compaction.js';
export type { CopyOptions, CopyProgress, Copied } from './copy.js';
export type { Durability } from './durability/commits.js';
export type { Latency } from './durability/histogram.js';
export type { Recovery } from './durability/recover.js';
export * from './errors.js';
export type { ExchangeProgress, ExportOptions } from './exchange/export.js';
export type { ImportOptions, ImportReport } from './exchange/import.js';
export type { ExchangeFormat } from './exchange/record.js';
export type { ExchangeSource } from './exchange/source.js';
export type { PutOptions } from './expiry.js';
export type { Keyspace } from './keyspace.js';
export type { KeyspaceOptions } from './keyspace-options.js';
export { open } from './open.js';
export type { OpenOptions } from './options.js';
export type * from './platform-types.js';
export type { Range } from './range.js';
export type { Change, Entry, Version } from './reader.js';
export { salvage, verify, type RepairOptions, type SalvageReport, type VerifyReport } from './repair.js';
export { restore, type RestoreOptions, type RestoreReport } from './restore.js';
export type { Scan } from './scan.js';
export type { Snapshot, SnapshotView } from './snapshot.js';
export type { OpenViews, Stats } from './stats.js';
export { Store } from './store.js';
export type { TransactOptions } from './transact.js';
export type { Isolation, Transaction, TransactionView } from './transaction.js';
export type { Commit, Watcher, WatchOptions } from './watch.js';

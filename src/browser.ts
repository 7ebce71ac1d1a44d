/** varve for pages: `open` gives the store that a worker has, to every page of the site. This file only exports. */
/// <reference lib="es2018.asynciterable" preserve="true" />
/// <reference lib="es2022.error" preserve="true" />
/// <reference lib="esnext.disposable" preserve="true" />
export type { BackupOptions, BackupReport } from './backup.js';
export type { ValueCodec } from './codec/foreign.js';
export type { Key } from './codec/key.js';
export type { KeyCodec } from './codec/space.js';
export type { CodecName } from './codec/value.js';
export type { CasResult } from './collection.js';
export type { CompactOptions, Compacted } from './compaction.js';
export type { CopyProgress } from './copy.js';
export type { Durability } from './durability/commits.js';
export type { Recovery } from './durability/recover.js';
export * from './errors.js';
export type { ExchangeProgress, ExportOptions } from './exchange/export.js';
export type { ImportOptions, ImportReport } from './exchange/import.js';
export type { ExchangeSource } from './exchange/source.js';
export type { PutOptions } from './expiry.js';
export type { KeyspaceOptions } from './keyspace-options.js';
export { open, type SharedOptions } from './page/open-shared.js';
export { restore, type SharedRestoreOptions } from './page/restore.js';
export type { SharedBatchOperation, SharedCollection, SharedKeyspace } from './page/shared-collection.js';
export type { SharedReader } from './page/shared-reader.js';
export type { SharedScan, SharedScanIterator } from './page/shared-scan.js';
export type { SharedSnapshot, SharedSnapshotView } from './page/shared-snapshot.js';
export type { SharedStore } from './page/shared-store.js';
export type { SharedTransaction, SharedTransactionView } from './page/shared-transaction.js';
export type { SharedWatcher } from './page/shared-watch.js';
export type * from './platform-types.js';
export type { Range } from './range.js';
export type { Change, Entry, Version } from './reader.js';
export type { Stats } from './stats.js';
export type { RestoreReport } from './restoring.js';
export type { TransactOptions } from './transact.js';
export type { Isolation } from './transaction.js';
export type { Commit, WatchOptions } from './watch.js';

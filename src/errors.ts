/**
 * Every error that varve throws on purpose. Each class has a `code` that never changes, a `name` that survives
 * minification, and a message that says what happened and what to do. Messages never carry keys or values of the store.
 */
import type { StandardSchemaV1 } from '@standard-schema/spec';

/** The base of all errors thrown by varve: `error instanceof VarveError` separates them from everything else. */
export abstract class VarveError extends Error {
  /** A stable identifier of the kind of failure, for programs to branch on. */
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}

function define(constructor: { prototype: VarveError }, name: string, code: string): void {
  Object.defineProperty(constructor.prototype, 'name', { value: name, configurable: true, writable: true });
  Object.defineProperty(constructor.prototype, 'code', { value: code, enumerable: true });
}

/** An argument is not what the method takes. Nothing was changed. */
export class InvalidArgumentError extends VarveError {
  declare readonly code: 'VARVE_INVALID_ARGUMENT';
}
define(InvalidArgumentError, 'InvalidArgumentError', 'VARVE_INVALID_ARGUMENT');

/** A value does not fit the schema of its keyspace. Nothing was changed. */
export class SchemaError extends VarveError {
  declare readonly code: 'VARVE_SCHEMA';
  /** What is wrong with it, as the schema says. */
  readonly issues: readonly StandardSchemaV1.Issue[];

  constructor(message: string, issues: readonly StandardSchemaV1.Issue[]) {
    super(message);
    this.issues = issues;
  }
}
define(SchemaError, 'SchemaError', 'VARVE_SCHEMA');

/** A key or value is larger than the store can hold. Nothing was changed. */
export class TooLargeError extends VarveError {
  declare readonly code: 'VARVE_TOO_LARGE';
}
define(TooLargeError, 'TooLargeError', 'VARVE_TOO_LARGE');

/** There is no room: memory or disk. Nothing was changed; the store stays usable. */
export class FullError extends VarveError {
  declare readonly code: 'VARVE_FULL';
}
define(FullError, 'FullError', 'VARVE_FULL');

/** The store, session or snapshot was closed. */
export class ClosedError extends VarveError {
  declare readonly code: 'VARVE_CLOSED';
}
define(ClosedError, 'ClosedError', 'VARVE_CLOSED');

/** What a transaction relied on was committed anew since it began. Nothing of it was applied: run it again. */
export class ConflictError extends VarveError {
  declare readonly code: 'VARVE_CONFLICT';
}
define(ConflictError, 'ConflictError', 'VARVE_CONFLICT');

/** A cas within a transaction met another version than it expects. Nothing of the transaction was applied, and running it again as it is would not help. */
export class CasError extends VarveError {
  declare readonly code: 'VARVE_CAS';
  /** The version that the key has: 0 where it does not exist. */
  readonly version: number;

  constructor(message: string, version: number) {
    super(message);
    this.version = version;
  }
}
define(CasError, 'CasError', 'VARVE_CAS');

/** A version was asked for that the store does not keep any more; in a page also what hung on a worker that has ended: a snapshot, a scan half-way, a backup, an export. */
export class VersionGoneError extends VarveError {
  declare readonly code: 'VARVE_VERSION_GONE';
}
define(VersionGoneError, 'VersionGoneError', 'VARVE_VERSION_GONE');

/** A watch was too slow: what it had yet to read has left the log. Begin another one, and read the store itself for what lies between. */
export class LaggedError extends VarveError {
  declare readonly code: 'VARVE_LAGGED';
}
define(LaggedError, 'LaggedError', 'VARVE_LAGGED');

/** Another writer holds the store; the message and the fields name it as far as it is known. */
export class LockedError extends VarveError {
  declare readonly code: 'VARVE_LOCKED';
  /** The process id of the holder, where it is known. */
  readonly pid: number | undefined;

  constructor(message: string, pid?: number, options?: ErrorOptions) {
    super(message, options);
    this.pid = pid;
  }
}
define(LockedError, 'LockedError', 'VARVE_LOCKED');

/** The store was opened read-only, or its file cannot be written. */
export class ReadOnlyError extends VarveError {
  declare readonly code: 'VARVE_READ_ONLY';
}
define(ReadOnlyError, 'ReadOnlyError', 'VARVE_READ_ONLY');

/** There is no such store, and `create: false` (or `readOnly`) forbade making one; or the folder of a path is not there; in a page also a store whose file was taken away. */
export class NotFoundError extends VarveError {
  declare readonly code: 'VARVE_NOT_FOUND';
}
define(NotFoundError, 'NotFoundError', 'VARVE_NOT_FOUND');

/** The file is not a varve store, or is one of a format that this version cannot read. The file was not touched. */
export class FormatError extends VarveError {
  declare readonly code: 'VARVE_FORMAT';
  /** The format version found in the file, where the file is varve's. */
  readonly found: number | undefined;
  /** The newest format version that this release reads. */
  readonly supported: number | undefined;

  constructor(message: string, found?: number, supported?: number) {
    super(message);
    this.found = found;
    this.supported = supported;
  }
}
define(FormatError, 'FormatError', 'VARVE_FORMAT');

/** A place in the file that is damaged, or where a tail was cut. */
export interface Damage {
  /** The sequence number of the segment. */
  readonly segment: number;
  /** The offset in the file, in bytes. */
  readonly offset: number;
  /** How many bytes are concerned, as far as it is known. */
  readonly bytes: number;
  /** What is wrong there, in words. */
  readonly reason: string;
  /** With `salvage`: of which commits something may be lost here, those above the first version and up to the second, or to the end; undefined where that is not known. */
  readonly versions: { readonly after: number; readonly upTo: number | undefined } | undefined;
}

/** Bytes of the store are damaged. The file was not touched. */
export class CorruptionError extends VarveError {
  declare readonly code: 'VARVE_CORRUPTION';
  /** The sequence number of the damaged segment, where one is known. */
  readonly segment: number | undefined;
  /** The offset of the damage in the file, in bytes, where it is known. */
  readonly offset: number | undefined;
  /** Every damaged place that was found, the first among them. */
  readonly damage: readonly Damage[];

  constructor(message: string, damage: readonly Damage[] = []) {
    super(message);
    const [first] = damage;
    const { segment, offset } = first ?? {};
    this.damage = damage;
    this.segment = segment;
    this.offset = offset;
  }
}
define(CorruptionError, 'CorruptionError', 'VARVE_CORRUPTION');

/** What was to be imported is not what an import takes, or is damaged or cut off. Batches before the place that is wrong are applied, as `written` and `read` tell; the one that it is in is not. */
export class ImportError extends VarveError {
  declare readonly code: 'VARVE_IMPORT';
  /** The line that is wrong, counted from 1, of lines of JSON. */
  readonly line: number | undefined;
  /** Where the block begins that is wrong, in bytes, in the compact form. */
  readonly offset: number | undefined;
  /** How many records the batches held that were applied, and how many of these were written. */
  readonly read: number;
  readonly written: number;

  constructor(message: string, place: { line?: number | undefined; offset?: number | undefined; read: number; written: number }, options?: ErrorOptions) {
    super(message, options);
    this.line = place.line;
    this.offset = place.offset;
    this.read = place.read;
    this.written = place.written;
  }
}
define(ImportError, 'ImportError', 'VARVE_IMPORT');

/** The platform refused to read, write or flush; `cause` is its error. */
export class IoError extends VarveError {
  declare readonly code: 'VARVE_IO';
}
define(IoError, 'IoError', 'VARVE_IO');

/**
 * The flush or write that a commit waited for failed: the commit may or may not be there after the store is reopened.
 * The store serves nothing more but `close()` and `stats()`. In a page also: the worker that a write was sent to ended before it answered, and the next one serves.
 */
export class OutcomeUnknownError extends VarveError {
  declare readonly code: 'VARVE_OUTCOME_UNKNOWN';
}
define(OutcomeUnknownError, 'OutcomeUnknownError', 'VARVE_OUTCOME_UNKNOWN');

/** An earlier failure, named by `cause`, has stopped this store. Close it and open it again to recover. */
export class PoisonedError extends VarveError {
  declare readonly code: 'VARVE_POISONED';
}
define(PoisonedError, 'PoisonedError', 'VARVE_POISONED');

/** The page or runtime does not allow what the store needs, such as compiling WebAssembly. */
export class PlatformError extends VarveError {
  declare readonly code: 'VARVE_PLATFORM';
}
define(PlatformError, 'PlatformError', 'VARVE_PLATFORM');

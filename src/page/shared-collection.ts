/** Keys and their values from a page: the store, or a keyspace. Each method is that of `Collection`, and waits. */
import { undefinedValue } from '../batch.js';
import { checkExpected, type CasResult } from '../collection.js';
import type { Key } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import { InvalidArgumentError } from '../errors.js';
import { expiryOf, type PutOptions } from '../expiry.js';
import type { Range } from '../range.js';
import type { Change, Version } from '../reader.js';
import { watchedBounds, type WatchOptions } from '../watch.js';
import { NO_EXPIRY, type FrameReader, type FrameWriter } from '../worker/frames.js';
import * as protocol from '../worker/protocol.js';
import { readValue, writeKey, writeValue } from './encode.js';
import { IN_VIEW, READ, WRITE, type Link } from './link.js';
import { SharedReader } from './shared-reader.js';
import { SharedScan, type SharedScanIterator } from './shared-scan.js';
import { SharedWatcher } from './shared-watch.js';

/** One write of a batch: to the collection whose batch it is, or to a keyspace of the store. */
export type SharedBatchOperation<V, K = Key> =
  | ({ readonly type: 'put'; readonly key: K; readonly value: V; readonly keyspace?: undefined } & PutOptions)
  | { readonly type: 'delete'; readonly key: K; readonly keyspace?: undefined }
  | ({ readonly type: 'put'; readonly keyspace: SharedKeyspace<any, any, any>; readonly key: unknown; readonly value: unknown } & PutOptions)
  | { readonly type: 'delete'; readonly keyspace: SharedKeyspace<any, any, any>; readonly key: unknown };

const now = (): number => Date.now();
const readVersion = (frames: FrameReader): Version => frames.number();

/** Writes the expiry that the options of a put say. @throws InvalidArgumentError. */
export function writeExpiry(frames: FrameWriter, options: PutOptions | undefined): void {
  frames.number(expiryOf(options, now) ?? NO_EXPIRY);
}

/** Writes what is put: what the schema makes of it. @throws InvalidArgumentError, SchemaError, TooLargeError. */
export function writePut<K, V>(frames: FrameWriter, key: K, value: unknown, options: PutOptions | undefined, space: Space<K, V>): void {
  if (value === undefined) throw undefinedValue();
  writeKey(frames, key, space as Space<K, never>);
  writeExpiry(frames, options);
  writeValue(frames, space.check(value), space as Space<never, V>);
}

export class SharedCollection<V, K = Key, In = V> extends SharedReader<V, K> {
  /** @internal */
  constructor(link: Link, space: Space<K, V>) {
    super(space, { link, view: 0, fate: READ, isAhead: true, check: () => undefined });
  }

  /** Puts a value. Resolves with the version when the store's durability holds for it. @throws (as a rejection) InvalidArgumentError, TooLargeError, SchemaError, FullError: nothing was changed. OutcomeUnknownError. */
  put(key: K, value: In, options?: PutOptions): Promise<Version> {
    return this.sight.link.call(WRITE, protocol.OP_PUT, (frames) => writePut(frames, key, value, options, this.space), readVersion);
  }

  /** Deletes a key. Resolves with the version, or with 0 where there was nothing. */
  delete(key: K): Promise<Version> {
    return this.sight.link.call(WRITE, protocol.OP_DELETE, (frames) => writeKey(frames, key, this.space as Space<K, never>), readVersion);
  }

  /** Puts a value, or deletes with `undefined`, if the key's version is exactly `version`; 0 means that it must not exist. */
  cas(key: K, version: Version, next: In | undefined, options?: PutOptions): Promise<CasResult> {
    return this.sight.link.call(WRITE, protocol.OP_CAS, (frames) => {
      checkExpected(version);
      writeKey(frames, key, this.space as Space<K, never>);
      frames.number(version);
      writeExpiry(frames, options);
      if (next === undefined) frames.absent();
      else writeValue(frames, this.space.check(next), this.space as Space<never, V>);
    }, (frames) => ({ ok: frames.byte() === 1, version: frames.number() }) as CasResult);
  }

  /** Applies writes as one commit: all or none, in order, under one version. Resolves with it, or with 0 where nothing had an effect. */
  batch(operations: Iterable<SharedBatchOperation<In, K>>): Promise<Version> {
    return this.sight.link.call(WRITE, protocol.OP_BATCH, (frames) => {
      if (typeof operations !== 'object' || operations === null || !(Symbol.iterator in operations)) throw new InvalidArgumentError('batch takes an iterable of operations.');
      const writes = Array.from(operations);
      frames.word(writes.length);
      for (const write of writes) this.#writeOperation(frames, write);
    }, readVersion);
  }

  #writeOperation(frames: FrameWriter, operation: SharedBatchOperation<In, K>): void {
    if (typeof operation !== 'object' || operation === null) throw new InvalidArgumentError("An operation of a batch is an object with a type, 'put' or 'delete'.");
    const space = operation.keyspace === undefined ? this.space : spaceIn(operation.keyspace, this.sight.link);
    if (operation.type === 'put') writePut<unknown, unknown>(frames, operation.key, operation.value, operation, space as Space<unknown, unknown>);
    else if (operation.type === 'delete') {
      writeKey<unknown>(frames, operation.key, space as Space<unknown, never>);
      frames.number(NO_EXPIRY);
      frames.absent();
    } else throw new InvalidArgumentError("The type of a batch operation is 'put' or 'delete'.");
  }

  /** The versions of a key that are kept, from the newest on, deletes among them, for `for await`. */
  history(key: K): SharedScanIterator<Change<V, K>> {
    const { sight, space } = this;
    return new SharedScan<Change<V, K>>(() => ({
      link: sight.link,
      opening: READ,
      going: IN_VIEW,
      operation: protocol.OP_HISTORY,
      isAhead: true,
      write: (frames, cursor) => {
        frames.word(cursor);
        writeKey(frames, key, space as Space<K, never>);
      },
      read: (frames) => {
        const value = readValue(frames, space.values);
        return { key, value, version: frames.number(), deleted: value === undefined, time: frames.number() };
      },
    }))[Symbol.asyncIterator]();
  }

  /** The commits to a range, or to one key, in order, one item each. When another worker takes the store over, it goes on there. @throws as `Collection.watch`, when it is waited for. */
  watch(target?: Range<K> | K, options: WatchOptions = {}): SharedWatcher<V, K> {
    return new SharedWatcher(this.sight.link, this.space, watchedBounds(target, this.space), options);
  }
}

/** A keyspace of a store: everything that the store can do with keys, it can do with its own. Get one with `db.keyspace(name)`. */
export class SharedKeyspace<V = unknown, K = Key, In = V> extends SharedCollection<V, K, In> {
  /** The name that it has in its store. */
  readonly name: string;

  /** @internal */
  constructor(link: Link, space: Space<K, V>) {
    super(link, space);
    this.name = space.name!;
  }
}

/** The space of a keyspace of the store that is reached by `link`. @throws InvalidArgumentError for another's. */
export function spaceIn<V, K>(keyspace: SharedKeyspace<V, K, never>, link: Link): Space<K, V> {
  if (!(keyspace instanceof SharedKeyspace)) throw new InvalidArgumentError('This is no keyspace: get one with db.keyspace(name).');
  if (keyspace.sight.link !== link) throw new InvalidArgumentError(`The keyspace ${keyspace.name} belongs to another store: get it from this one with db.keyspace(name).`);
  return keyspace.space;
}

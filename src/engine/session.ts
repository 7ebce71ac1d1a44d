/** A session of the core, as the facade uses it: reads at the version at which it began, its own writes first, and a commit that is checked. */
import { RECORD_FLAG_EXPIRY } from '../../assembly/shared/format.js';
import { MAX_VALUE_SIZE } from '../../assembly/shared/limits.js';
import * as status from '../../assembly/shared/status.js';
import type { Space } from '../codec/space.js';
import { CasError, ClosedError, ConflictError } from '../errors.js';
import { valueTooLarge } from './encode.js';
import type { Engine } from './engine.js';
import { failure, isFault } from './failure.js';

export class EngineSession {
  /** The version at which it reads. */
  readonly version: number;
  /** When it began, in epoch milliseconds. */
  readonly clock: number;
  /** The number by which the core knows it. */
  readonly handle: number;
  readonly #engine: Engine;
  /** Whether it has put anything: a commit that only deletes may use what is kept for deletes. */
  #hasPut = false;
  #hasDeleted = false;
  #hasEnded = false;

  constructor(engine: Engine, clock: number) {
    this.#engine = engine;
    this.clock = clock;
    this.handle = engine.core.beginSession(clock) >>> 0;
    engine.refresh();
    if (this.handle === 0) throw failure(status.STATUS_MEMORY_FULL, engine.name);
    this.version = engine.core.lastVersion();
  }

  /** Encodes a key into the window, once all code of the caller's has run: it may have ended the session. */
  #encodeKey<K>(key: K, space: Space<K, unknown>): number {
    const size = this.#engine.encodeKey(key, space);
    if (this.#hasEnded) throw new ClosedError('The transaction was ended by what it called: a codec, a getter or a toJSON.');
    return size;
  }

  /** Looks a key up: the kind of its value, or a negative number. */
  find<K>(key: K, space: Space<K, unknown>): number {
    const kind = this.#engine.core.sessionGet(this.handle, this.#encodeKey(key, space));
    this.#engine.refresh();
    if (kind === status.STATUS_MEMORY_FULL) throw failure(kind, this.#engine.name);
    return kind;
  }

  get<K, V>(key: K, space: Space<K, V>): V | undefined {
    const kind = this.find(key, space);
    return kind < 0 ? undefined : this.#engine.found(kind, space.values);
  }

  /** Puts a value, which expires in epoch milliseconds where `expiry` says so. */
  put<K, V>(key: K, value: V, space: Space<K, V>, expiry: number | undefined): void {
    const engine = this.#engine;
    const { values } = space;
    const flag = expiry === undefined ? 0 : RECORD_FLAG_EXPIRY;
    const encoded = values.bound(value) < 0 ? values.toBytes(value) : undefined;
    // Code of the caller's that tells a key, which runs next, may use the codec of values again.
    const bytes = encoded !== undefined && (space.hasKeyCodec || typeof key === 'object') ? encoded.slice() : encoded;
    const kind = values.lastKind;
    const keySize = this.#encodeKey(key, space);
    const size = bytes === undefined ? values.bound(value) : bytes.length;
    if (size > MAX_VALUE_SIZE) throw valueTooLarge(size);
    const room = engine.core.sessionRoom(this.handle, keySize, size) >>> 0;
    engine.refresh();
    if (room === 0) throw failure(status.STATUS_MEMORY_FULL, engine.name);
    if (bytes === undefined) {
      const written = values.write(engine.bytes, room, value);
      engine.core.sessionPut(this.handle, Math.floor(written / 16), (written % 16) | flag, expiry ?? 0);
    } else {
      engine.bytes.set(bytes, room);
      engine.core.sessionPut(this.handle, size, kind | flag, expiry ?? 0);
    }
    this.#hasPut = true;
  }

  delete<K>(key: K, space: Space<K, unknown>): void {
    const code = this.#engine.core.sessionDelete(this.handle, this.#encodeKey(key, space));
    this.#engine.refresh();
    if (code !== status.STATUS_OK) throw failure(code, this.#engine.name);
    this.#hasDeleted = true;
  }

  /** The write that came last holds only if its key has this version when the session commits. */
  expect(version: number): void {
    this.#engine.core.sessionExpect(this.handle, version);
  }

  /** Whether the session writes anything. */
  get isWriter(): boolean {
    return this.#hasPut || this.#hasDeleted;
  }

  /** Checks what the session relied on, and applies its writes as one commit. Returns the version, 0 where it had nothing to write. */
  commit(isSnapshot: boolean): number {
    const engine = this.#engine;
    if (!this.isWriter) return 0;
    engine.tick();
    for (;;) {
      const result = this.#attempt(isSnapshot);
      if (result >= 0) {
        engine.refresh();
        return result;
      }
      this.#resolve(result);
    }
  }

  /** Has the core commit. What could not be read takes back what was staged. */
  #attempt(isSnapshot: boolean): number {
    const { core } = this.#engine;
    try {
      return core.commitSession(this.handle, isSnapshot);
    } catch (error) {
      if (!isFault(error)) core.cancelSession(this.handle);
      throw error;
    }
  }

  /** Clears what has stopped a commit, or takes it back and throws. */
  #resolve(code: number): void {
    const { core, name } = this.#engine;
    try {
      this.#engine.refresh();
      if (code === status.STATUS_CONFLICT) this.#engine.conflictCount++;
      if (code === status.STATUS_CONFLICT) throw new ConflictError(`Another commit to ${name} came between: nothing was changed. Run the transaction again, or let transact do it.`);
      if (code === status.STATUS_MISMATCH) throw new CasError(`A cas of a transaction in ${name} expected another version: nothing was changed. Read the key again.`, this.#engine.foundVersion);
      this.#engine.resolve(code, !this.#hasPut, false);
    } catch (error) {
      core.cancelSession(this.handle);
      throw error;
    }
  }

  /** Gives back what the session holds, its scans too. */
  end(): void {
    this.#hasEnded = true;
    this.#engine.core.endSession(this.handle);
    this.#engine.refresh();
  }
}

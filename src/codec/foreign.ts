/**
 * A codec of the caller's own, kept at arm's length: it encodes into a buffer of its own before a place in the log is taken, and decodes from a copy, so that nothing that it does with what it is given,
 * or within a call, can reach the memory of the store.
 */
import { VALUE_KIND_COUNT } from '../../assembly/shared/limits.js';
import { ofCaller } from '../callers.js';
import { InvalidArgumentError } from '../errors.js';
import { isBytes } from './bytes.js';
import type { ValueCodec } from './value.js';

export class ForeignCodec<V> implements ValueCodec<V> {
  readonly name: string;
  lastKind = 0;
  readonly #codec: ValueCodec<V>;

  constructor(codec: ValueCodec<V>) {
    if (typeof codec !== 'object' || codec === null) throw new InvalidArgumentError('values takes the name of a codec, or a codec: an object with bound, write, toBytes and read.');
    this.name = codec.name;
    this.#codec = codec;
  }

  bound(): number {
    return -1;
  }

  write(): never {
    throw new InvalidArgumentError(`The codec ${this.name} encodes apart.`);
  }

  toBytes(value: V): Uint8Array {
    try {
      return this.#encode(value);
    } catch (error) {
      throw ofCaller(error);
    }
  }

  #encode(value: V): Uint8Array {
    const codec = this.#codec;
    const bound = codec.bound(value);
    if (bound === -1) {
      const bytes = codec.toBytes(value);
      if (!isBytes(bytes)) throw this.#wrong('toBytes returns a Uint8Array');
      this.#setKind(codec.lastKind);
      // Not a slice, for which a class of its own may have a method.
      return new Uint8Array(bytes);
    }
    if (!Number.isInteger(bound) || bound < 0) throw this.#wrong('bound returns a number of bytes, or -1');
    const bytes = new Uint8Array(bound);
    const written = codec.write(bytes, 0, value);
    if (!Number.isInteger(written) || written < 0 || written >= (bound + 1) * VALUE_KIND_COUNT) throw this.#wrong('write returns the size that it has written, times 16, plus the kind');
    this.#setKind(written % VALUE_KIND_COUNT);
    return bytes.subarray(0, Math.floor(written / VALUE_KIND_COUNT));
  }

  read(source: Uint8Array, start: number, end: number, kind: number): V {
    try {
      return this.#codec.read(source.slice(start, end), 0, end - start, kind);
    } catch (error) {
      throw ofCaller(error);
    }
  }

  #setKind(kind: number): void {
    if (!Number.isInteger(kind) || kind < 0 || kind >= VALUE_KIND_COUNT) throw this.#wrong(`a kind is a whole number below ${VALUE_KIND_COUNT}`);
    this.lastKind = kind;
  }

  #wrong(rule: string): InvalidArgumentError {
    return new InvalidArgumentError(`The codec ${this.name} does not keep to what a codec promises: ${rule}. Nothing was changed.`);
  }
}

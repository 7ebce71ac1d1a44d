/**
 * A codec of the program's own, kept at arm's length: it encodes before a place in the log is taken, what it returns is copied, and it decodes from a copy, so that nothing that it does with what it is given,
 * or within a call, can reach the memory of the store. What it has written has a kind of its own, so no other codec takes it for its own.
 */
import { ofCaller } from '../callers.js';
import { InvalidArgumentError } from '../errors.js';
import { copyToOwnBuffer, isBytes, sizeOfBytes } from './bytes.js';
import { ApartFormat, KIND_OWN } from './value.js';

/** How a program turns values into bytes and back. Neither function may wait; what either throws comes to the caller as it is. */
export interface ValueCodec<V> {
  /** What messages call it, where it is given. Default `own`. */
  readonly name?: string;
  /**
   * The bytes of a value. Called once for each write, before anything is changed: nothing is where it throws. What it returns is copied, so it may use the same bytes again. Bytes that are no `Uint8Array` are
   * refused with `InvalidArgumentError`.
   */
  encode(value: V): Uint8Array;
  /** The value of bytes that `encode` has returned, at each read: a copy of them that it may keep and change. `undefined` is what a read gives of a key that does not exist. */
  decode(bytes: Uint8Array): V;
}

/** What such a codec writes. */
export class ForeignFormat extends ApartFormat {
  readonly name: string;
  readonly lastKind = KIND_OWN;
  readonly #codec: ValueCodec<unknown>;

  /** @throws InvalidArgumentError for what is no codec. */
  constructor(codec: ValueCodec<unknown>) {
    super();
    const name: unknown = codec?.name ?? 'own';
    if (typeof name !== 'string' || typeof codec?.encode !== 'function' || typeof codec.decode !== 'function') {
      throw new InvalidArgumentError('values takes the name of a codec, or a codec: an object with the functions encode and decode, and a name if you like.');
    }
    this.name = name;
    this.#codec = codec;
  }

  toBytes(value: unknown): Uint8Array {
    let bytes: Uint8Array;
    try {
      bytes = this.#codec.encode(value);
    } catch (error) {
      throw ofCaller(error);
    }
    if (!isBytes(bytes)) throw new InvalidArgumentError(`encode of the codec '${this.name}' returned no Uint8Array: nothing was changed. It returns the bytes themselves, and at once.`);
    const copy = new Uint8Array(sizeOfBytes(bytes));
    copy.set(bytes);
    return copy;
  }

  protected decode(source: Uint8Array, start: number, end: number): unknown {
    const bytes = copyToOwnBuffer(source, start, end);
    try {
      return this.#codec.decode(bytes);
    } catch (error) {
      throw ofCaller(error);
    }
  }
}

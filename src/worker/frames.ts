/**
 * The bytes in which calls and their answers cross between a page and the worker that has the store. What is called in one turn, or answered in one, is one message: an `ArrayBuffer` whose first four
 * bytes say how much of it is used, so that a whole buffer can be handed over instead of copied. Numbers are little-endian.
 */

const FIRST_CAPACITY = 1024;
/** The bytes before the first frame: how many are used. */
export const HEAD_SIZE = 4;
const VALUE_ABSENT = 0xff;
/** In the place of an expiry: there is none. */
export const NO_EXPIRY = -1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A value as it is stored: the shape of its bytes, and where they are. */
export interface StoredBytes {
  readonly kind: number;
  readonly source: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export class FrameWriter {
  #bytes = new Uint8Array(FIRST_CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  /** How many bytes are written, the head among them. */
  size = HEAD_SIZE;

  get isEmpty(): boolean {
    return this.size === HEAD_SIZE;
  }

  /** The memory written to, until the next call that writes. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** Makes room for so many bytes, and returns where they go; what is written there counts once `size` says so. */
  reserve(count: number): number {
    const needed = this.size + count;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, this.size));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return this.size;
  }

  byte(value: number): void {
    const at = this.reserve(1);
    this.#bytes[at] = value;
    this.size += 1;
  }

  word(value: number): void {
    const at = this.reserve(4);
    this.#view.setUint32(at, value, true);
    this.size += 4;
  }

  number(value: number): void {
    const at = this.reserve(8);
    this.#view.setFloat64(at, value, true);
    this.size += 8;
  }

  /** `source[start, end)`, behind its size. */
  block(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.word(size);
    const at = this.reserve(size);
    this.#bytes.set(source.subarray(start, end), at);
    this.size += size;
  }

  text(value: string): void {
    const bytes = encoder.encode(value);
    this.block(bytes, 0, bytes.length);
  }

  value(kind: number, source: Uint8Array, start: number, end: number): void {
    this.byte(kind);
    this.block(source, start, end);
  }

  /** In the place of a value: there is none. */
  absent(): void {
    this.byte(VALUE_ABSENT);
  }

  /** Writes over a word that was written before. */
  patch(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  /** Takes the message out, and begins another one. `isWhole`: the buffer as it is, to be handed over; otherwise a copy of what is used. */
  take(isWhole: boolean): ArrayBuffer {
    this.patch(0, this.size);
    const buffer = isWhole ? this.#bytes.buffer as ArrayBuffer : this.#bytes.slice(0, this.size).buffer;
    this.size = HEAD_SIZE;
    if (isWhole) {
      this.#bytes = new Uint8Array(FIRST_CAPACITY);
      this.#view = new DataView(this.#bytes.buffer);
    }
    return buffer;
  }
}

export class FrameReader {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  at = HEAD_SIZE;

  constructor(message: ArrayBuffer) {
    this.bytes = new Uint8Array(message);
    this.#view = new DataView(message);
    this.#end = this.#view.getUint32(0, true);
  }

  get isAtEnd(): boolean {
    return this.at >= this.#end;
  }

  byte(): number {
    return this.bytes[this.at++]!;
  }

  word(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  number(): number {
    this.at += 8;
    return this.#view.getFloat64(this.at - 8, true);
  }

  /** The next block, as a view of the message. */
  block(): Uint8Array {
    const size = this.word();
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  text(): string {
    return decoder.decode(this.block());
  }

  /** The next value, where it stands in the message; undefined where there is none. */
  value(): StoredBytes | undefined {
    const kind = this.byte();
    if (kind === VALUE_ABSENT) return undefined;
    const size = this.word();
    this.at += size;
    return { kind, source: this.bytes, start: this.at - size, end: this.at };
  }
}

/** The next expiry, as the option of a put; undefined where there is none. */
export function readExpiry(frames: FrameReader): { readonly expiresAt: number } | undefined {
  const expiry = frames.number();
  return expiry === NO_EXPIRY ? undefined : { expiresAt: expiry };
}

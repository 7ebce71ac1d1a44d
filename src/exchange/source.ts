/** The bytes that are imported, whatever they come from: as many at a time as the reader asks for. */
import { orAborted } from '../abort.js';
import { ofCaller } from '../callers.js';
import { isBytes, sizeOfBytes } from '../codec/bytes.js';
import { InvalidArgumentError } from '../errors.js';

/** A web stream, or whatever can be looped over with `for await`: files, responses, generators. */
export type ExchangeSource = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array | string>;

interface Chunks {
  next(): Promise<{ done?: boolean | undefined; value?: Uint8Array | string | undefined }>;
  /** Tells the source that nothing more is wanted. */
  end(reason: unknown): void;
}

function chunksOf(source: unknown): Chunks {
  if (typeof source === 'object' && source !== null && 'getReader' in source) {
    const reader = (source as ReadableStream<Uint8Array>).getReader();
    return { next: () => reader.read(), end: (reason) => void reader.cancel(reason).catch(() => undefined) };
  }
  if (typeof source === 'object' && source !== null && Symbol.asyncIterator in source) {
    const iterator = (source as AsyncIterable<Uint8Array | string>)[Symbol.asyncIterator]();
    return {
      next: async () => iterator.next(),
      // One that is written by hand may answer at once, or throw.
      end: () => void (async () => iterator.return?.())().catch(() => undefined),
    };
  }
  throw new InvalidArgumentError('A source is a ReadableStream, or an AsyncIterable of bytes or text.');
}

export class Source {
  readonly #chunks: Chunks;
  readonly #signal: AbortSignal | undefined;
  readonly #encoder = new TextEncoder();
  /** The first half of a surrogate pair with which a text ended: the other half begins the next. */
  #half = '';
  /** What was read and not taken, in order, and how much of the first was. */
  #waiting: Uint8Array[] = [];
  #offset = 0;
  #size = 0;
  /** How many bytes were taken. */
  taken = 0;

  constructor(source: unknown, signal: AbortSignal | undefined) {
    this.#chunks = chunksOf(source);
    this.#signal = signal;
  }

  /** Reads on. False at the end of the source. */
  async #readMore(): Promise<boolean> {
    const { done, value } = await orAborted(this.#chunks.next(), this.#signal).catch((error: unknown) => {
      throw ofCaller(error);
    });
    if (typeof value === 'string' && done !== true) {
      this.#add(this.#encode(value));
      return true;
    }
    this.#add(this.#encoder.encode(this.#half));
    this.#half = '';
    if (done === true) return false;
    if (!isBytes(value)) throw new InvalidArgumentError('A source gives bytes, as Uint8Array, or text.');
    // A copy, which runs no method of a class of the source's own: a source may use its buffer again for what comes next.
    if (sizeOfBytes(value) > 0) this.#add(new Uint8Array(value));
    return true;
  }

  #encode(chunk: string): Uint8Array {
    const text = this.#half + chunk;
    const isHalf = (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
    this.#half = isHalf ? text.slice(-1) : '';
    return this.#encoder.encode(isHalf ? text.slice(0, -1) : text);
  }

  #add(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#waiting.push(bytes);
    this.#size += bytes.length;
  }

  /** The next `size` bytes; fewer at the end of the source. Memory is taken for what is there, not for what is asked. */
  async take(size: number): Promise<Uint8Array> {
    while (this.#size < size && await this.#readMore());
    return this.#takeNow(Math.min(size, this.#size));
  }

  /** The first `size` bytes, or fewer at the end, which are not taken. */
  async peek(size: number): Promise<Uint8Array> {
    const bytes = await this.take(size);
    if (bytes.length > 0) {
      if (this.#offset > 0) this.#waiting[0] = this.#waiting[0]!.subarray(this.#offset);
      this.#waiting.unshift(bytes);
      this.#offset = 0;
      this.#size += bytes.length;
      this.taken -= bytes.length;
    }
    return bytes;
  }

  /** The bytes up to the next line feed, without it, or up to the end; undefined where nothing is left. */
  async line(): Promise<Uint8Array | undefined> {
    let before = 0;
    for (let index = 0; ; index++) {
      while (index >= this.#waiting.length) {
        if (!await this.#readMore()) return this.#size === 0 ? undefined : this.#takeNow(this.#size);
      }
      const chunk = this.#waiting[index]!;
      const from = index === 0 ? this.#offset : 0;
      const at = chunk.indexOf(0x0a, from);
      if (at < 0) {
        before += chunk.length - from;
        continue;
      }
      const line = this.#takeNow(before + at - from + 1);
      return line.subarray(0, line.length - 1);
    }
  }

  #takeNow(size: number): Uint8Array {
    this.#size -= size;
    this.taken += size;
    const first = this.#waiting[0];
    if (first !== undefined && first.length - this.#offset >= size) {
      const bytes = first.subarray(this.#offset, this.#offset + size);
      this.#drop(size);
      return bytes;
    }
    const bytes = new Uint8Array(size);
    for (let done = 0; done < size;) {
      const chunk = this.#waiting[0]!;
      const count = Math.min(size - done, chunk.length - this.#offset);
      bytes.set(chunk.subarray(this.#offset, this.#offset + count), done);
      done += count;
      this.#drop(count);
    }
    return bytes;
  }

  /** Lets go of bytes of the first chunk. */
  #drop(count: number): void {
    this.#offset += count;
    if (this.#waiting.length > 0 && this.#offset === this.#waiting[0]!.length) {
      this.#waiting.shift();
      this.#offset = 0;
    }
  }

  end(reason: unknown): void {
    this.#chunks.end(reason);
  }
}

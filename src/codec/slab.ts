/**
 * Pooled memory for bytes that are handed to callers. A `Uint8Array` with a buffer of its own costs several times the
 * lookup that found it, so small values share buffers of 64 KiB, as Node's own `Buffer` does.
 *
 * Guarantees: a copy never changes through anything that the store does later. It leaves to the caller to know that
 * `.buffer` holds other values too, and that one small value keeps the whole of its slab alive.
 */
import { copyToOwnBuffer } from './bytes.js';

const SLAB_SIZE = 65536;
/** A larger value gets a buffer of its own: it would waste the end of a slab, and making the buffer is a small part of copying it. */
const POOLED_SIZE = 8192;
/** Up to this size a loop over words is faster than `set`, which needs a view of the source made for it. */
const WORD_LOOP_SIZE = 256;

export class Slab {
  readonly #markUntransferable: ((buffer: ArrayBuffer) => void) | undefined;
  #buffer = new ArrayBuffer(0);
  #bytes = new Uint8Array(this.#buffer);
  #words = new Int32Array(this.#buffer);
  #offset = 0;
  /** The words of the memory that was copied from last; made anew when that memory has grown and its buffer is another. */
  #sourceBuffer: ArrayBufferLike = this.#buffer;
  #sourceWords: Int32Array<ArrayBufferLike> = this.#words;

  /** `markUntransferable` is told of each slab, so that nobody can transfer away the values of others. */
  constructor(markUntransferable?: (buffer: ArrayBuffer) => void) {
    this.#markUntransferable = markUntransferable;
  }

  /** A copy of `source[start, end)`, which must lie within `source`. */
  copy(source: Uint8Array, start: number, end: number): Uint8Array {
    const size = end - start;
    if (size > POOLED_SIZE) return copyToOwnBuffer(source, start, end);
    let offset = this.#offset;
    if (offset + size > this.#bytes.length) {
      this.#renew();
      offset = 0;
    }
    this.#offset = (offset + size + 7) & ~7;
    if (size > WORD_LOOP_SIZE || !this.#copyWords(source, start, size, offset)) {
      this.#bytes.set(source.subarray(start, end), offset);
    }
    return new Uint8Array(this.#buffer, offset, size);
  }

  #renew(): void {
    this.#buffer = new ArrayBuffer(SLAB_SIZE);
    this.#bytes = new Uint8Array(this.#buffer);
    this.#words = new Int32Array(this.#buffer);
    this.#markUntransferable?.(this.#buffer);
  }

  /** Copies whole words where source and memory allow it; up to three bytes of padding behind the value come along. */
  #copyWords(source: Uint8Array, start: number, size: number, offset: number): boolean {
    const from = source.byteOffset + start;
    if ((from & 3) !== 0) return false;
    if (source.buffer !== this.#sourceBuffer) {
      this.#sourceBuffer = source.buffer;
      this.#sourceWords = new Int32Array(source.buffer, 0, source.buffer.byteLength >>> 2);
    }
    const words = this.#words;
    const sourceWords = this.#sourceWords;
    // Memory may be larger than 2 GiB: divide, for a shift would take the address as signed.
    let sourceIndex = from / 4;
    const stop = sourceIndex + ((size + 3) >> 2);
    if (stop > sourceWords.length) return false;
    let index = offset >> 2;
    while (sourceIndex < stop) words[index++] = sourceWords[sourceIndex++];
    return true;
  }
}

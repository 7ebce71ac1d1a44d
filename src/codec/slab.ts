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
const WORD_LOOP_SIZE = 128;
/** Only a source of at least this size is taken for memory that will be copied from again. */
const MEMORY_SIZE = 65536;

export class Slab {
  readonly #markUntransferable: ((buffer: ArrayBuffer) => void) | undefined;
  #buffer = new ArrayBuffer(0);
  #bytes = new Uint8Array(this.#buffer);
  #words = new Int32Array(this.#buffer);
  #offset = 0;
  /** The view of memory that was copied from last, and its words: asking a view for its buffer each time would cost as much as the copy. */
  #source: Uint8Array | undefined;
  #sourceWords: Int32Array<ArrayBufferLike> = this.#words;

  /** The stretch that was taken last, and where in which buffer it stands. */
  #stretch: Uint8Array | undefined;
  #stretchBuffer = this.#buffer;
  #stretchOffset = 0;

  /** `markUntransferable` is told of each slab, so that nobody can transfer away the values of others. */
  constructor(markUntransferable?: (buffer: ArrayBuffer) => void) {
    this.#markUntransferable = markUntransferable;
  }

  /** A copy of `source[start, end)`, which must lie within `source`. */
  copy(source: Uint8Array, start: number, end: number): Uint8Array {
    const size = end - start;
    if (source === this.#stretch) return new Uint8Array(this.#stretchBuffer, this.#stretchOffset + start, size);
    if (size > POOLED_SIZE) return copyToOwnBuffer(source, start, end);
    const offset = this.#reserve(size);
    if (size > WORD_LOOP_SIZE || !this.#copyWords(source, start, size, offset)) {
      this.#bytes.set(source.subarray(start, end), offset);
    }
    return new Uint8Array(this.#buffer, offset, size);
  }

  /**
   * A copy of `source[start, end)`, at most a quarter of a slab, in which several values stand: what `copy` is asked for of it next is a part of it, and copied no more. What stands between the values is kept with
   * them.
   */
  take(source: Uint8Array, start: number, end: number): Uint8Array {
    const offset = this.#reserve(end - start);
    const stretch = new Uint8Array(this.#buffer, offset, end - start);
    stretch.set(source.subarray(start, end));
    this.#stretchBuffer = this.#buffer;
    this.#stretchOffset = offset;
    return (this.#stretch = stretch);
  }

  /** Where so many bytes of the slab are free, which are not any more. */
  #reserve(size: number): number {
    let offset = this.#offset;
    if (offset + size > this.#bytes.length) {
      this.#renew();
      offset = 0;
    }
    this.#offset = (offset + size + 7) & ~7;
    return offset;
  }

  #renew(): void {
    this.#buffer = new ArrayBuffer(SLAB_SIZE);
    this.#bytes = new Uint8Array(this.#buffer);
    this.#words = new Int32Array(this.#buffer);
    this.#markUntransferable?.(this.#buffer);
  }

  /** Copies whole words where source and memory allow it; up to three bytes of padding behind the value come along. */
  #copyWords(source: Uint8Array, start: number, size: number, offset: number): boolean {
    if ((start & 3) !== 0 || (source !== this.#source && !this.#adopt(source))) return false;
    const words = this.#words;
    const sourceWords = this.#sourceWords;
    // Memory may be larger than 2 GiB: divide, for a shift would take the offset as signed.
    let sourceIndex = start / 4;
    const stop = sourceIndex + ((size + 3) >> 2);
    if (stop > sourceWords.length) return false;
    let index = offset >> 2;
    while (sourceIndex < stop) words[index++] = sourceWords[sourceIndex++];
    return true;
  }

  #adopt(source: Uint8Array): boolean {
    if (source.length < MEMORY_SIZE || source.byteOffset % 4 !== 0) return false;
    this.#source = source;
    this.#sourceWords = new Int32Array(source.buffer, source.byteOffset, source.length >>> 2);
    return true;
  }
}

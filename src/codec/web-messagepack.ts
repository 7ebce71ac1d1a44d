/**
 * `@msgpack/msgpack` for pages, in whose bundles it takes that place: as much of it as `messagepack.ts` uses, in a fifth of the bytes. It is given nothing that `messagepack.ts` has not checked: values are
 * of types that it knows, and bytes are one value whose lengths are right. What it writes is what the library writes, byte for byte.
 */
import type { ExtensionCodecType } from '@msgpack/msgpack';

export const EXT_TIMESTAMP = -1;
const FIRST_SIZE = 2048;
/** Up to this length a loop over ASCII is faster than `TextEncoder` and `TextDecoder`. */
const LOOP_LENGTH = 24;
const HEAD_SIZE_MAX = 6;
const TWO_32 = 2 ** 32;
const TWO_34 = 2 ** 34;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes with a type of one's own. */
export class ExtData {
  readonly type: number;
  readonly data: Uint8Array;

  constructor(type: number, data: Uint8Array) {
    this.type = type;
    this.data = data;
  }
}

/** Writes a signed number of up to 64 bits. */
function setInt64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / TWO_32));
  view.setUint32(at + 4, value);
}

/** The bytes of a date as a timestamp; null for anything else. */
export function encodeTimestampExtension(value: unknown): Uint8Array | null {
  if (!(value instanceof Date)) return null;
  const time = value.getTime();
  const seconds = Math.floor(time / 1000);
  const nanoseconds = (time - seconds * 1000) * 1e6;
  const isShort = nanoseconds === 0 && seconds >= 0 && seconds < TWO_32;
  const view = new DataView(new ArrayBuffer(isShort ? 4 : seconds >= 0 && seconds < TWO_34 ? 8 : 12));
  if (isShort) view.setUint32(0, seconds);
  else if (view.byteLength === 8) {
    view.setUint32(0, nanoseconds * 4 + Math.floor(seconds / TWO_32));
    view.setUint32(4, seconds);
  } else {
    view.setUint32(0, nanoseconds);
    setInt64(view, 4, seconds);
  }
  return new Uint8Array(view.buffer);
}

/** The date of a timestamp's bytes. Throws for those of no timestamp. */
export function decodeTimestampExtension(data: Uint8Array): Date {
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const first = view.getUint32(0);
  switch (data.length) {
    case 4:
      return new Date(first * 1000);
    case 8:
      return new Date(((first & 3) * TWO_32 + view.getUint32(4)) * 1000 + (first >>> 2) / 1e6);
    case 12:
      return new Date((view.getInt32(4) * TWO_32 + view.getUint32(8)) * 1000 + first / 1e6);
    default:
      throw new RangeError('a timestamp of no known size');
  }
}

export class Encoder {
  readonly #extensions: ExtensionCodecType<undefined>;
  readonly #maxDepth: number;
  #view = new DataView(new ArrayBuffer(FIRST_SIZE));
  #bytes = new Uint8Array(this.#view.buffer);
  #at = 0;
  #isBusy = false;

  /** Properties that are undefined are left out. */
  constructor({ extensionCodec, maxDepth }: { extensionCodec: ExtensionCodecType<undefined>; maxDepth: number; ignoreUndefined: true }) {
    this.#extensions = extensionCodec;
    this.#maxDepth = maxDepth;
  }

  /** The bytes of a value, valid until the next call. */
  encodeSharedRef(value: unknown): Uint8Array {
    // A getter of the value has come back here.
    if (this.#isBusy) return new Encoder({ extensionCodec: this.#extensions, maxDepth: this.#maxDepth, ignoreUndefined: true }).encodeSharedRef(value);
    this.#isBusy = true;
    try {
      this.#at = 0;
      this.#write(value, 1);
      return this.#bytes.subarray(0, this.#at);
    } finally {
      this.#isBusy = false;
    }
  }

  #reserve(size: number): void {
    if (this.#at + size <= this.#bytes.length) return;
    const bytes = new Uint8Array((this.#at + size) * 2);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  /** Writes a head, and a number behind it in 0, 1, 2, 4 or 8 bytes. */
  #head(head: number, size = 0, value = 0): void {
    this.#reserve(1 + size);
    const view = this.#view;
    const at = this.#at;
    view.setUint8(at, head);
    if (size === 1) view.setUint8(at + 1, value);
    else if (size === 2) view.setUint16(at + 1, value);
    else if (size === 4) view.setUint32(at + 1, value);
    else if (size === 8) setInt64(view, at + 1, value);
    this.#at = at + 1 + size;
  }

  /** Writes a length: in the head itself below `limit`, where `small` begins, or in 1, 2 or 4 bytes behind heads that follow one another; `hasByte` says whether there is one for a single byte. */
  #length(length: number, small: number, limit: number, large: number, hasByte: boolean): void {
    if (length < limit) this.#head(small + length);
    else if (hasByte && length < 0x100) this.#head(large, 1, length);
    else if (length < 0x10000) this.#head(large + (hasByte ? 1 : 0), 2, length);
    else this.#head(large + (hasByte ? 2 : 1), 4, length);
  }

  #write(value: unknown, depth: number): void {
    if (depth > this.#maxDepth) throw new Error('too deep');
    if (value === null || value === undefined) this.#head(0xc0);
    else if (typeof value === 'boolean') this.#head(value ? 0xc3 : 0xc2);
    else if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value !== 'object') throw new TypeError('a value of no known type');
    else this.#object(value, depth);
  }

  #number(value: number): void {
    if (!Number.isSafeInteger(value)) {
      this.#head(0xcb, 8);
      this.#view.setFloat64(this.#at - 8, value);
    } else if (value >= 0) {
      if (value < 0x80) this.#head(value);
      else if (value < 0x100) this.#head(0xcc, 1, value);
      else if (value < 0x10000) this.#head(0xcd, 2, value);
      else if (value < TWO_32) this.#head(0xce, 4, value);
      else this.#head(0xcf, 8, value);
    } else if (value >= -0x20) this.#head(0x100 + value);
    else if (value >= -0x80) this.#head(0xd0, 1, value);
    else if (value >= -0x8000) this.#head(0xd1, 2, value);
    else if (value >= -0x80000000) this.#head(0xd2, 4, value);
    else this.#head(0xd3, 8, value);
  }

  #text(text: string): void {
    const { length } = text;
    this.#reserve(HEAD_SIZE_MAX + 3 * length);
    if (length <= LOOP_LENGTH) {
      const bytes = this.#bytes;
      const start = this.#at + 1;
      let index = 0;
      for (; index < length; index++) {
        const unit = text.charCodeAt(index);
        if (unit >= 0x80) break;
        bytes[start + index] = unit;
      }
      if (index === length) {
        bytes[this.#at] = 0xa0 + length;
        this.#at = start + length;
        return;
      }
    }
    // Its size is known only when it is written, and so where it should have begun.
    const from = this.#at + HEAD_SIZE_MAX;
    const size = encoder.encodeInto(text, this.#bytes.subarray(from)).written;
    this.#length(size, 0xa0, 32, 0xd9, true);
    this.#bytes.copyWithin(this.#at, from, from + size);
    this.#at += size;
  }

  #append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #object(value: object, depth: number): void {
    const extension = this.#extensions.tryToEncode(value, undefined);
    if (extension !== null) this.#extension(extension.type, extension.data as Uint8Array);
    else if (Array.isArray(value)) {
      this.#length(value.length, 0x90, 16, 0xdc, false);
      for (const item of value) this.#write(item, depth + 1);
    } else if (ArrayBuffer.isView(value)) {
      this.#length(value.byteLength, 0, 0, 0xc4, true);
      this.#append(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    } else this.#record(value as Record<string, unknown>, depth);
  }

  #record(record: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(record);
    let count = 0;
    for (const key of keys) if (record[key] !== undefined) count++;
    this.#length(count, 0x80, 16, 0xde, false);
    for (const key of keys) {
      const item = record[key];
      if (item === undefined) continue;
      this.#text(key);
      this.#write(item, depth + 1);
    }
  }

  #extension(type: number, data: Uint8Array): void {
    const fixed = [1, 2, 4, 8, 16].indexOf(data.length);
    if (fixed >= 0) this.#head(0xd4 + fixed);
    else this.#length(data.length, 0, 0, 0xc7, true);
    this.#head(type & 0xff);
    this.#append(data);
  }
}

export class Decoder {
  readonly #extensions: ExtensionCodecType<undefined>;
  #bytes = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  constructor({ extensionCodec }: { extensionCodec: ExtensionCodecType<undefined> }) {
    this.#extensions = extensionCodec;
  }

  /** The value that fills the bytes. */
  decode(bytes: Uint8Array): unknown {
    // What stands within an extension is decoded while that is.
    const outer = this.#bytes;
    const at = this.#at;
    this.#open(bytes, 0);
    try {
      return this.#read();
    } finally {
      this.#open(outer, at);
    }
  }

  #open(bytes: Uint8Array, at: number): void {
    this.#bytes = bytes as Uint8Array<ArrayBuffer>;
    this.#view = new DataView(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);
    this.#at = at;
  }

  /** The next number without a sign, of 1, 2 or 4 bytes. */
  #length(size: number): number {
    const view = this.#view;
    const at = this.#at;
    this.#at += size;
    return size === 1 ? view.getUint8(at) : size === 2 ? view.getUint16(at) : view.getUint32(at);
  }

  #take(size: number): Uint8Array {
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  #text(size: number): string {
    if (size > LOOP_LENGTH) return decoder.decode(this.#take(size));
    const bytes = this.#bytes;
    const end = this.#at + size;
    let text = '';
    for (let index = this.#at; index < end; index++) {
      const byte = bytes[index]!;
      if (byte >= 0x80) return decoder.decode(this.#take(size));
      text += String.fromCharCode(byte);
    }
    this.#at = end;
    return text;
  }

  #array(count: number): unknown[] {
    const items: unknown[] = [];
    for (let index = 0; index < count; index++) items.push(this.#read());
    return items;
  }

  #record(count: number): Record<string, unknown> {
    const record: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) {
      const key = this.#read();
      if ((typeof key !== 'string' && typeof key !== 'number') || key === '__proto__') throw new TypeError('a key that no object has');
      record[key] = this.#read();
    }
    return record;
  }

  #extension(size: number): unknown {
    const type = this.#view.getInt8(this.#at++);
    return this.#extensions.decode(this.#take(size), type, undefined);
  }

  #read(): unknown {
    const head = this.#bytes[this.#at++]!;
    if (head < 0x80) return head;
    if (head < 0x90) return this.#record(head - 0x80);
    if (head < 0xa0) return this.#array(head - 0x90);
    if (head < 0xc0) return this.#text(head - 0xa0);
    if (head >= 0xe0) return head - 0x100;
    if (head >= 0xd4 && head < 0xd9) return this.#extension(2 ** (head - 0xd4));
    if (head >= 0xca && head < 0xd4) return this.#number(head);
    switch (head) {
      case 0xc0:
        return null;
      case 0xc2:
      case 0xc3:
        return head === 0xc3;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#take(this.#length(2 ** (head - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#extension(this.#length(2 ** (head - 0xc7)));
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#text(this.#length(2 ** (head - 0xd9)));
      case 0xdc:
      case 0xdd:
        return this.#array(this.#length(2 ** (head - 0xdb)));
      default:
        return this.#record(this.#length(2 ** (head - 0xdd)));
    }
  }

  #number(head: number): number {
    const view = this.#view;
    const at = this.#at;
    const size = head < 0xcc ? 4 * (head - 0xc9) : 2 ** ((head - 0xcc) & 3);
    this.#at += size;
    switch (head) {
      case 0xca:
        return view.getFloat32(at);
      case 0xcb:
        return view.getFloat64(at);
      case 0xcf:
        return view.getUint32(at) * TWO_32 + view.getUint32(at + 4);
      case 0xd0:
        return view.getInt8(at);
      case 0xd1:
        return view.getInt16(at);
      case 0xd2:
        return view.getInt32(at);
      case 0xd3:
        return view.getInt32(at) * TWO_32 + view.getUint32(at + 4);
      default:
        this.#at = at;
        return this.#length(size);
    }
  }
}

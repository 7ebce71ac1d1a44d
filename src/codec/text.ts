/**
 * Text as bytes. Keys hold WTF-8: UTF-8 in which a lone surrogate has the three bytes of its code point, so that every
 * JavaScript string has exactly one encoding and bytes order as code points do. Values hold ASCII, UTF-8 or, only for
 * text with lone surrogates, UTF-16.
 *
 * Guarantees: what is written is read back exactly; malformed bytes are a `CorruptionError`, and nothing outside of
 * `[start, end)` is read. The caller sees to it that `target` has room: three bytes for each UTF-16 code unit always suffice.
 */
import { CorruptionError } from '../errors.js';

/** The three shapes in which a text value can stand in a record; numbers are part of the durable format. */
export const KIND_ASCII = 1;
export const KIND_UTF8 = 2;
export const KIND_UTF16 = 3;

/** Up to this length a loop is faster than `TextEncoder.encodeInto`, which needs a view made for it. */
const LOOP_WRITE_LENGTH = 32;
/** Up to this size `String.fromCharCode` is faster than `TextDecoder`. */
const LOOP_READ_SIZE = 32;
/** The arguments of one `String.fromCharCode` call; engines limit how many there may be. */
const UNITS_PER_CALL = 4096;

const encoder = new TextEncoder();
/** `fatal` makes malformed bytes an error, `ignoreBOM` keeps a leading U+FEFF, which belongs to the text. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** One reusable argument list for each short length: a list of the exact length is what `apply` is fast with. */
const argumentLists: number[][] = Array.from({ length: LOOP_READ_SIZE + 1 }, (_, length) => Array.from({ length }, () => 0));

const nativeIsWellFormed = (String.prototype as { isWellFormed?: (this: string) => boolean }).isWellFormed;

/** Whether `text` has no lone surrogate, which is when UTF-8 can hold it. */
export function isWellFormed(text: string): boolean {
  return nativeIsWellFormed === undefined ? !/\p{Surrogate}/u.test(text) : nativeIsWellFormed.call(text);
}

function damaged(): CorruptionError {
  return new CorruptionError('A text in the store is not well-formed: run verify(), or restore it from a backup.');
}

/** Writes `text` from its code unit `index` on as WTF-8 and returns the end offset. */
export function writeWtf8(target: Uint8Array, offset: number, text: string, index: number): number {
  const length = text.length;
  while (index < length) {
    let point = text.charCodeAt(index++);
    if (point < 0x80) {
      target[offset++] = point;
      continue;
    }
    if (point < 0x800) {
      target[offset++] = 0xc0 | (point >> 6);
      target[offset++] = 0x80 | (point & 0x3f);
      continue;
    }
    if ((point & 0xfc00) === 0xd800 && index < length) {
      const low = text.charCodeAt(index);
      if ((low & 0xfc00) === 0xdc00) {
        index++;
        point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
        target[offset++] = 0xf0 | (point >> 18);
        target[offset++] = 0x80 | ((point >> 12) & 0x3f);
        target[offset++] = 0x80 | ((point >> 6) & 0x3f);
        target[offset++] = 0x80 | (point & 0x3f);
        continue;
      }
    }
    target[offset++] = 0xe0 | (point >> 12);
    target[offset++] = 0x80 | ((point >> 6) & 0x3f);
    target[offset++] = 0x80 | (point & 0x3f);
  }
  return offset;
}

/** Writes a long, well-formed text as UTF-8 and returns the end offset. */
export function writeLongUtf8(target: Uint8Array, offset: number, text: string): number {
  return offset + encoder.encodeInto(text, target.subarray(offset, offset + 3 * text.length)).written;
}

/** Reads what `writeWtf8` wrote. */
export function readWtf8(source: Uint8Array, start: number, end: number): string {
  if (end - start <= LOOP_READ_SIZE) {
    const text = readShortAscii(source, start, end);
    if (text !== undefined) return text;
    return readWtf8Units(source, start, end);
  }
  try {
    return decoder.decode(source.subarray(start, end));
  } catch {
    // Either the text has lone surrogates, which UTF-8 forbids, or the bytes are damaged: the strict loop tells.
    return readWtf8Units(source, start, end);
  }
}

function readShortAscii(source: Uint8Array, start: number, end: number): string | undefined {
  const length = end - start;
  const units = argumentLists[length];
  let seen = 0;
  for (let index = 0; index < length; index++) {
    const byte = source[start + index];
    seen |= byte;
    units[index] = byte;
  }
  return seen < 0x80 ? String.fromCharCode.apply(null, units) : undefined;
}

function readWtf8Units(source: Uint8Array, start: number, end: number): string {
  let text = '';
  let units: number[] = [];
  let previous = 0;
  while (start < end) {
    const first = source[start];
    let point = first;
    let size = 1;
    if (first >= 0x80) {
      size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
      if (first < 0xc2 || first > 0xf4 || start + size > end) throw damaged();
      point = first & (0x7f >> size);
      for (let index = 1; index < size; index++) {
        const next = source[start + index];
        if ((next & 0xc0) !== 0x80) throw damaged();
        point = (point << 6) | (next & 0x3f);
      }
      if ((size === 3 && point < 0x800) || (size === 4 && (point < 0x10000 || point > 0x10ffff))) throw damaged();
      // A pair of surrogates has four bytes; written as two times three it would be a second encoding of the same text.
      if ((point & 0xfffffc00) === 0xdc00 && (previous & 0xfffffc00) === 0xd800) throw damaged();
    }
    previous = point;
    start += size;
    if (point < 0x10000) units.push(point);
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff));
    if (units.length >= UNITS_PER_CALL) {
      text += String.fromCharCode.apply(null, units);
      units = [];
    }
  }
  return text + String.fromCharCode.apply(null, units);
}

/** Writes a text value in the smallest shape that keeps it and returns its size times 16 plus its kind. */
export function writeText(target: Uint8Array, offset: number, text: string): number {
  const length = text.length;
  if (length > LOOP_WRITE_LENGTH) {
    const size = writeLongUtf8(target, offset, text) - offset;
    if (size === length) return size * 16 + KIND_ASCII;
    return isWellFormed(text) ? size * 16 + KIND_UTF8 : writeUtf16(target, offset, text);
  }
  for (let index = 0; index < length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) {
      if (!isWellFormed(text)) return writeUtf16(target, offset, text);
      return (writeWtf8(target, offset + index, text, index) - offset) * 16 + KIND_UTF8;
    }
    target[offset + index] = unit;
  }
  return length * 16 + KIND_ASCII;
}

/** Writes `text` as UTF-16, little-endian, and returns its size times 16 plus its kind. */
export function writeUtf16(target: Uint8Array, offset: number, text: string): number {
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    target[offset++] = unit & 0xff;
    target[offset++] = unit >> 8;
  }
  return text.length * 2 * 16 + KIND_UTF16;
}

/** The bytes of a text value that is too long to reserve three bytes a code unit for; `kindOfText` names their shape. */
export function textToBytes(text: string): Uint8Array {
  if (isWellFormed(text)) return encoder.encode(text);
  const bytes = new Uint8Array(text.length * 2);
  writeUtf16(bytes, 0, text);
  return bytes;
}

/** The kind of what `textToBytes` returned for `text`. */
export function kindOfText(text: string, bytes: Uint8Array): number {
  if (bytes.length === text.length) return KIND_ASCII;
  return isWellFormed(text) ? KIND_UTF8 : KIND_UTF16;
}

/** Reads a text value of one of the three text kinds. */
export function readText(source: Uint8Array, start: number, end: number, kind: number): string {
  if (kind === KIND_UTF16) return readUtf16(source, start, end);
  const size = end - start;
  if (size <= LOOP_READ_SIZE) {
    const text = readShortAscii(source, start, end);
    if (text !== undefined) return text;
    if (kind === KIND_ASCII) throw damaged();
  }
  let text: string;
  try {
    text = decoder.decode(source.subarray(start, end));
  } catch {
    throw damaged();
  }
  if (kind === KIND_ASCII && text.length !== size) throw damaged();
  return text;
}

function readUtf16(source: Uint8Array, start: number, end: number): string {
  if ((end - start) % 2 !== 0) throw damaged();
  let text = '';
  while (start < end) {
    const units: number[] = [];
    const stop = Math.min(end, start + 2 * UNITS_PER_CALL);
    for (; start < stop; start += 2) units.push(source[start] | (source[start + 1] << 8));
    text += String.fromCharCode.apply(null, units);
  }
  return text;
}

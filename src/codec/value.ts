/**
 * The codecs of values: each turns values into bytes and a `kind`, four bits of the record's header that tell which
 * shape the bytes have. Strings and bytes go straight into linear memory; everything else is encoded apart and copied.
 *
 * Guarantees: what a codec takes, it gives back the same (`json` and `msgpack` within what those formats can say); what it
 * does not take is an `InvalidArgumentError`; bytes that it cannot have written are a `CorruptionError`; what was read
 * shares no memory with `source`. It leaves to the store to refuse `undefined` and values that are too large.
 */
import { CorruptionError, InvalidArgumentError } from '../errors.js';
import { copyToOwnBuffer, isBytes, sizeOfBytes } from './bytes.js';
import { createMessagePack } from './messagepack.js';
import { createStructured } from './structured.js';
import { KIND_ASCII, KIND_UTF16, KIND_UTF8, kindOfText, readText, textToBytes, writeText } from './text.js';

export { KIND_ASCII, KIND_UTF16, KIND_UTF8 } from './text.js';
/** The kinds are part of the durable format; 1 to 3 are the shapes of text. */
export const KIND_BYTES = 0;
export const KIND_STRUCTURED = 4;
export const KIND_JSON = 5;
export const KIND_MSGPACK = 6;
/** What a codec of the program's own has encoded. */
export const KIND_OWN = 7;

/** A longer string is encoded apart, where its exact size is known, instead of reserving three bytes for each unit. */
const LONG_TEXT_LENGTH = 16384;
/** Where JSON is encoded that is known to fit. */
const SCRATCH_SIZE = 16384;

export type CodecName = 'default' | 'bytes' | 'utf8' | 'json' | 'msgpack';

/** Copies `source[start, end)` to where a caller may keep it. */
export type CopyBytes = (source: Uint8Array, start: number, end: number) => Uint8Array;

/** The half of a codec that reads. */
export interface ValueReader<V> {
  /** Decodes the value of this kind that fills `source[start, end)`. */
  read(source: Uint8Array, start: number, end: number, kind: number): V;
}

/** A codec as the engine uses it. What a program may give is a `ValueCodec`, of `foreign.ts`. */
export interface ValueFormat<V> extends ValueReader<V> {
  readonly name: string;
  /** The most bytes that `write` may write for this value, or -1: use `toBytes`. */
  bound(value: V): number;
  /** Writes straight into linear memory, where `bound` bytes are free, and returns the size times 16 plus the kind. */
  write(target: Uint8Array, offset: number, value: V): number;
  /** The encoded bytes of a value whose bound is -1, valid until this codec is used again; their kind is in `lastKind`. */
  toBytes(value: V): Uint8Array;
  readonly lastKind: number;
}

/** What has written each kind, as messages call it. */
const WRITERS: readonly (string | undefined)[] = ["'bytes'", "'utf8'", "'utf8'", "'utf8'", "'default'", "'json'", "'msgpack'", "a codec of the program's own"];

function refused(name: CodecName, takes: string): InvalidArgumentError {
  return new InvalidArgumentError(`The codec '${name}' takes ${takes}: convert the value, or choose another codec.`);
}

/** The error for a kind that the codec `name` does not read. */
function otherKind(name: string, kind: number): Error {
  const writer = WRITERS[kind];
  if (writer === undefined) return new CorruptionError('A value of the store has a kind that does not exist: run verify(), or restore it from a backup.');
  return new InvalidArgumentError(`The codec '${name}' cannot read a value that was written with ${writer}: use the codec that wrote it.`);
}

function textBound(value: string): number {
  return value.length > LONG_TEXT_LENGTH ? -1 : 3 * value.length;
}

class DefaultCodec implements ValueFormat<unknown> {
  readonly name = 'default';
  lastKind = KIND_STRUCTURED;
  readonly #copyBytes: CopyBytes;
  readonly #structured: ReturnType<typeof createStructured>;

  constructor(copyBytes: CopyBytes) {
    this.#copyBytes = copyBytes;
    this.#structured = createStructured(copyBytes);
  }

  bound(value: unknown): number {
    if (typeof value === 'string') return textBound(value);
    return isBytes(value) ? sizeOfBytes(value) : -1;
  }

  write(target: Uint8Array, offset: number, value: unknown): number {
    if (typeof value === 'string') return writeText(target, offset, value);
    const bytes = value as Uint8Array;
    target.set(bytes, offset);
    return sizeOfBytes(bytes) * 16 + KIND_BYTES;
  }

  toBytes(value: unknown): Uint8Array {
    if (typeof value === 'string') {
      const bytes = textToBytes(value);
      this.lastKind = kindOfText(value, bytes);
      return bytes;
    }
    const bytes = this.#structured.encode(value);
    this.lastKind = KIND_STRUCTURED;
    return bytes;
  }

  read(source: Uint8Array, start: number, end: number, kind: number): unknown {
    if (kind === KIND_BYTES) return this.#copyBytes(source, start, end);
    if (kind <= KIND_UTF16) return readText(source, start, end, kind);
    if (kind === KIND_STRUCTURED) return this.#structured.decode(source, start, end);
    throw otherKind(this.name, kind);
  }
}

class BytesCodec implements ValueFormat<Uint8Array> {
  readonly name = 'bytes';
  readonly lastKind = KIND_BYTES;
  readonly #copyBytes: CopyBytes;

  constructor(copyBytes: CopyBytes) {
    this.#copyBytes = copyBytes;
  }

  bound(value: Uint8Array): number {
    if (!isBytes(value)) throw refused(this.name, 'a Uint8Array');
    return sizeOfBytes(value);
  }

  write(target: Uint8Array, offset: number, value: Uint8Array): number {
    if (!isBytes(value)) throw refused(this.name, 'a Uint8Array');
    target.set(value, offset);
    return sizeOfBytes(value) * 16 + KIND_BYTES;
  }

  toBytes(value: Uint8Array): Uint8Array {
    if (!isBytes(value)) throw refused(this.name, 'a Uint8Array');
    return value;
  }

  read(source: Uint8Array, start: number, end: number, kind: number): Uint8Array {
    if (kind !== KIND_BYTES) throw otherKind(this.name, kind);
    return this.#copyBytes(source, start, end);
  }
}

class Utf8Codec implements ValueFormat<string> {
  readonly name = 'utf8';
  lastKind = KIND_UTF8;

  bound(value: string): number {
    if (typeof value !== 'string') throw refused(this.name, 'a string');
    return textBound(value);
  }

  write(target: Uint8Array, offset: number, value: string): number {
    if (typeof value !== 'string') throw refused(this.name, 'a string');
    return writeText(target, offset, value);
  }

  toBytes(value: string): Uint8Array {
    if (typeof value !== 'string') throw refused(this.name, 'a string');
    const bytes = textToBytes(value);
    this.lastKind = kindOfText(value, bytes);
    return bytes;
  }

  read(source: Uint8Array, start: number, end: number, kind: number): string {
    if (kind < KIND_ASCII || kind > KIND_UTF16) throw otherKind(this.name, kind);
    return readText(source, start, end, kind);
  }
}

/** What the codecs have in common that always encode apart, and write one kind. */
export abstract class ApartFormat implements ValueFormat<unknown> {
  abstract readonly name: string;
  abstract readonly lastKind: number;

  bound(): number {
    return -1;
  }

  write(target: Uint8Array, offset: number, value: unknown): number {
    const bytes = this.toBytes(value);
    target.set(bytes, offset);
    return bytes.length * 16 + this.lastKind;
  }

  read(source: Uint8Array, start: number, end: number, kind: number): unknown {
    if (kind !== this.lastKind) throw otherKind(this.name, kind);
    return this.decode(source, start, end);
  }

  abstract toBytes(value: unknown): Uint8Array;
  protected abstract decode(source: Uint8Array, start: number, end: number): unknown;
}

class JsonCodec extends ApartFormat {
  readonly name = 'json';
  readonly lastKind = KIND_JSON;
  readonly #scratch = new Uint8Array(SCRATCH_SIZE);
  readonly #encoder = new TextEncoder();

  toBytes(value: unknown): Uint8Array {
    let text: string | undefined;
    try {
      text = JSON.stringify(value);
    } catch (cause) {
      throw new InvalidArgumentError('JSON cannot hold this value (a bigint, a cycle, or a toJSON that throws): choose another codec.', { cause });
    }
    if (text === undefined) throw refused(this.name, 'what JSON.stringify does');
    if (text.length * 3 > SCRATCH_SIZE) return this.#encoder.encode(text);
    return this.#scratch.subarray(0, this.#encoder.encodeInto(text, this.#scratch).written);
  }

  protected decode(source: Uint8Array, start: number, end: number): unknown {
    const text = readText(source, start, end, KIND_UTF8);
    try {
      return JSON.parse(text);
    } catch {
      throw new CorruptionError('A JSON value of the store is malformed: run verify(), or restore it from a backup.');
    }
  }
}

class MessagePackCodec extends ApartFormat {
  readonly name = 'msgpack';
  readonly lastKind = KIND_MSGPACK;
  readonly #messagePack = createMessagePack();

  toBytes(value: unknown): Uint8Array {
    return this.#messagePack.encode(value);
  }

  protected decode(source: Uint8Array, start: number, end: number): unknown {
    return this.#messagePack.decode(source, start, end);
  }
}

/** Strings and bytes as they are, and everything that `structured.ts` keeps. */
export function createDefaultCodec(copyBytes: CopyBytes = copyToOwnBuffer): ValueFormat<unknown> {
  return new DefaultCodec(copyBytes);
}

/** Only `Uint8Array`. */
export function createBytesCodec(copyBytes: CopyBytes = copyToOwnBuffer): ValueFormat<Uint8Array> {
  return new BytesCodec(copyBytes);
}

/** Only strings, those with lone surrogates too. */
export function createUtf8Codec(): ValueFormat<string> {
  return new Utf8Codec();
}

/** Whatever `JSON.stringify` makes of a value. */
export function createJsonCodec(): ValueFormat<unknown> {
  return new JsonCodec();
}

/** Plain MessagePack, for bytes that other programs read too. */
export function createMessagePackCodec(): ValueFormat<unknown> {
  return new MessagePackCodec();
}

/** The codec of a name; `copyBytes` is where it puts the bytes that it hands out. */
export function codecByName(name: CodecName, copyBytes: CopyBytes = copyToOwnBuffer): ValueFormat<unknown> {
  switch (name) {
    case 'default':
      return createDefaultCodec(copyBytes);
    case 'bytes':
      return createBytesCodec(copyBytes) as ValueFormat<unknown>;
    case 'utf8':
      return createUtf8Codec() as ValueFormat<unknown>;
    case 'json':
      return createJsonCodec();
    case 'msgpack':
      return createMessagePackCodec();
  }
  throw new InvalidArgumentError("There is no such codec: use 'default', 'bytes', 'utf8', 'json' or 'msgpack'.");
}

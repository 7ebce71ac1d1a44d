/**
 * The compact form of exported records: a head, blocks, each with a checksum that continues the one before it, and an end that says how many records there were. So what is missing, doubled or out
 * of order is noticed as well as what is damaged. `docs/export.md` has every byte.
 */
import { MAX_KEY_SIZE, MAX_VALUE_SIZE } from '../../assembly/shared/limits.js';
import { keyBound, readKey, writeKey } from '../codec/key.js';
import { keyspaceNameOf } from '../codec/keyspace-name.js';
import { Space } from '../codec/space.js';
import { InvalidArgumentError } from '../errors.js';
import { prefixSizeOf, type ExchangeRecord } from './record.js';

export const HEAD_SIZE = 16;
export const BLOCK_HEAD_SIZE = 8;
export const HASH_SIZE = 8;
/** Bytes of records from which on a block is closed. */
export const BLOCK_SIZE = 64 << 10;
/** No block is larger: it holds more than this before it is closed only by its last record. */
export const BLOCK_SIZE_MAX = MAX_VALUE_SIZE + MAX_KEY_SIZE + 2 * BLOCK_SIZE;
/** "varvex", then bytes that a text transfer would change. */
const MAGIC = [0x76, 0x61, 0x72, 0x76, 0x65, 0x78, 0x1a, 0x0a];
const FORMAT_VERSION = 1;
const FLAG_EXPIRY = 0x20;
const KIND_MASK = 0x0f;

/** Continues a checksum over more bytes; the state is its low and its high half. */
export type ContinueHash = (state: Uint32Array, bytes: Uint8Array) => void;

function varintSize(value: number): number {
  let size = 1;
  for (; value >= 0x80; value = Math.floor(value / 128)) size++;
  return size;
}

/** Lays records out. */
export class BinaryWriter {
  readonly #hash: ContinueHash;
  readonly #state = new Uint32Array(2);
  #records: ExchangeRecord[] = [];
  #size = 0;
  #total = 0;

  constructor(hash: ContinueHash) {
    this.#hash = hash;
  }

  /** What every export begins with. */
  head(): Uint8Array {
    const bytes = new Uint8Array(HEAD_SIZE);
    bytes.set(MAGIC);
    new DataView(bytes.buffer).setUint32(8, FORMAT_VERSION, true);
    this.#hash(this.#state, bytes);
    return bytes;
  }

  /** Takes a record. Returns whether the block is to be closed. */
  add(record: ExchangeRecord): boolean {
    this.#records.push(record);
    const { keyBytes, bytes, expiry } = record;
    this.#size += 1 + varintSize(keyBytes.length) + varintSize(bytes.length) + (expiry === undefined ? 0 : 8) + keyBytes.length + bytes.length;
    this.#total++;
    return this.#size >= BLOCK_SIZE;
  }

  /** Closes the block that is open; undefined where it holds nothing. */
  close(): Uint8Array | undefined {
    if (this.#records.length === 0) return undefined;
    const block = new Uint8Array(BLOCK_HEAD_SIZE + this.#size + HASH_SIZE);
    const view = new DataView(block.buffer);
    view.setUint32(0, this.#size, true);
    view.setUint32(4, this.#records.length, true);
    let offset = BLOCK_HEAD_SIZE;
    const writeVarint = (value: number): void => {
      for (; value >= 0x80; value = Math.floor(value / 128)) block[offset++] = (value & 0x7f) | 0x80;
      block[offset++] = value;
    };
    for (const { keyBytes, bytes, kind, expiry } of this.#records) {
      block[offset++] = kind | (expiry === undefined ? 0 : FLAG_EXPIRY);
      writeVarint(keyBytes.length);
      writeVarint(bytes.length);
      if (expiry !== undefined) {
        view.setFloat64(offset, expiry, true);
        offset += 8;
      }
      block.set(keyBytes, offset);
      block.set(bytes, offset + keyBytes.length);
      offset += keyBytes.length + bytes.length;
    }
    this.#seal(block, offset);
    this.#records = [];
    this.#size = 0;
    return block;
  }

  /** What every export ends with. */
  end(): Uint8Array {
    const bytes = new Uint8Array(BLOCK_HEAD_SIZE + 8 + HASH_SIZE);
    new DataView(bytes.buffer).setFloat64(BLOCK_HEAD_SIZE, this.#total, true);
    this.#seal(bytes, BLOCK_HEAD_SIZE + 8);
    return bytes;
  }

  #seal(bytes: Uint8Array, size: number): void {
    this.#hash(this.#state, bytes.subarray(0, size));
    const view = new DataView(bytes.buffer);
    view.setUint32(size, this.#state[0]!, true);
    view.setUint32(size + 4, this.#state[1]!, true);
  }
}

/** What is wrong with bytes that were read. */
function wrong(reason: string): InvalidArgumentError {
  return new InvalidArgumentError(reason);
}

/** Whether bytes begin as the compact form does. */
export function isBinary(beginning: Uint8Array): boolean {
  return beginning.length >= MAGIC.length && MAGIC.every((byte, index) => beginning[index] === byte);
}

/** Checks what was laid out, and takes it apart. */
export class BinaryReader {
  readonly #hash: ContinueHash;
  readonly #state = new Uint32Array(2);
  #total = 0;

  constructor(hash: ContinueHash) {
    this.#hash = hash;
  }

  /** How many records the blocks held that were read. */
  get total(): number {
    return this.#total;
  }

  /** Takes the head. */
  head(bytes: Uint8Array): void {
    if (!isBinary(bytes)) throw wrong('This is no export of a store in the compact form.');
    const version = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
    if (version !== FORMAT_VERSION) throw wrong(`This export has format version ${version}, and this release reads ${FORMAT_VERSION}.`);
    if (bytes.subarray(12).some((byte) => byte !== 0)) throw wrong('The head of the export holds what this release does not know.');
    this.#hash(this.#state, bytes);
  }

  /** How many bytes follow the head of a block, its checksum included. */
  static restOf(blockHead: Uint8Array): number {
    const size = new DataView(blockHead.buffer, blockHead.byteOffset).getUint32(0, true);
    if (size > BLOCK_SIZE_MAX) throw wrong('The head of a block is damaged: no block is as large as it says.');
    return (size === 0 ? 8 : size) + HASH_SIZE;
  }

  /** The records of a block, head and checksum included; undefined for the end. */
  block(bytes: Uint8Array): ExchangeRecord[] | undefined {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const end = bytes.length - HASH_SIZE;
    this.#hash(this.#state, bytes.subarray(0, end));
    if (view.getUint32(end, true) !== this.#state[0] || view.getUint32(end + 4, true) !== this.#state[1]) throw wrong('A block fails its checksum: it is damaged, or what came before it is missing.');
    const count = view.getUint32(4, true);
    if (view.getUint32(0, true) === 0) {
      if (count !== 0 || view.getFloat64(BLOCK_HEAD_SIZE, true) !== this.#total) throw wrong('The export holds another number of records than its end says.');
      return undefined;
    }
    const records: ExchangeRecord[] = [];
    const place = { offset: BLOCK_HEAD_SIZE };
    while (place.offset < end) records.push(readRecord(bytes, view, end, place));
    if (records.length !== count) throw wrong('A block holds another number of records than its head says.');
    this.#total += count;
    return records;
  }
}

function readVarint(bytes: Uint8Array, end: number, place: { offset: number }): number {
  let value = 0;
  for (let factor = 1; place.offset < end && factor < 2 ** 35; factor *= 128) {
    const byte = bytes[place.offset++]!;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return value;
  }
  throw wrong('A record is cut off, or its sizes make no sense.');
}

function readRecord(bytes: Uint8Array, view: DataView, end: number, place: { offset: number }): ExchangeRecord {
  const flags = bytes[place.offset++]!;
  if ((flags & ~(KIND_MASK | FLAG_EXPIRY)) !== 0) throw wrong('A record has flags that this release does not know.');
  const keySize = readVarint(bytes, end, place);
  const valueSize = readVarint(bytes, end, place);
  let expiry: number | undefined;
  if ((flags & FLAG_EXPIRY) !== 0 && place.offset + 8 <= end) {
    expiry = view.getFloat64(place.offset, true);
    if (!Number.isInteger(expiry) || expiry <= 0 || expiry >= 2 ** 48) throw wrong('A record expires at a time that is none.');
    place.offset += 8;
  }
  if (keySize === 0 || keySize > MAX_KEY_SIZE || valueSize > MAX_VALUE_SIZE || place.offset + keySize + valueSize > end) throw wrong('A record is cut off, or its sizes make no sense.');
  const keyBytes = bytes.subarray(place.offset, place.offset + keySize);
  checkKey(keyBytes);
  place.offset += keySize + valueSize;
  return { keyBytes, bytes: bytes.subarray(place.offset - valueSize, place.offset), kind: flags & KIND_MASK, expiry };
}

/** A key must be one that a store would have written: anything else would stand at a place in the order where nobody finds it. */
function checkKey(keyBytes: Uint8Array): void {
  const prefix = prefixSizeOf(keyBytes);
  try {
    const space = new Space(prefix === 0 ? undefined : keyspaceNameOf(keyBytes), undefined, undefined as never);
    const key = readKey(keyBytes, prefix, keyBytes.length);
    const again = new Uint8Array(space.from.length + keyBound(key) + 1);
    const size = space.writeWith(again, 0, (target, offset) => writeKey(target, offset, key));
    if (size === keyBytes.length && keyBytes.every((byte, index) => again[index] === byte)) return;
  } catch {
    // What is no key is told below.
  }
  throw wrong('A record has a key that no store has written.');
}

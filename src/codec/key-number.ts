/**
 * Numbers inside keys: a double in eight bytes whose order as bytes is the order of values, and for a bigint a suffix
 * that tells how far it lies above the largest double that is not above it.
 *
 *   number   double
 *   bigint   floor double · FE                     where the double is the value
 *   bigint   floor double · FF · length · bytes    where it is not; the bytes are the distance, big-endian
 *
 * The suffix begins above every tag and above the terminator, so a number sorts before the bigint of its value, also
 * within a tuple. A bigint below every finite double has the floor -Infinity; its magnitude stands there complemented,
 * length and all, so that larger magnitudes sort first. Every value has one encoding, and only that one is read.
 */
import { CorruptionError } from '../errors.js';

const SUFFIX_EXACT = 0xfe;
const SUFFIX_ABOVE = 0xff;
/** Lengths up to here are one byte; a longer one has this plus the count of the length's own bytes, then those. */
const SHORT_LENGTH = 0xf7;
/** What stands before the bytes of a magnitude at most: the suffix, the length's first byte and the four of a long one. */
const BIGINT_OVERHEAD = 6;
/** Below 2^64 doubles lie at most 2048 apart: a distance takes one byte of length and two of magnitude. */
const SHORT_DISTANCE_SIZE = 3;
export const DOUBLE_SIZE = 8;

const scratch = new DataView(new ArrayBuffer(DOUBLE_SIZE));

/** Where the last `readNumber` ended: a second result without an object to carry it. */
let numberEnd = 0;
export function lastNumberEnd(): number {
  return numberEnd;
}

/** Writes an ordered double; -0 becomes 0, and NaN is the caller's to refuse. */
export function writeDouble(target: Uint8Array, offset: number, value: number): number {
  // Adding 0 turns -0 into 0 and leaves every other value alone.
  scratch.setFloat64(0, value + 0);
  let high = scratch.getUint32(0);
  let low = scratch.getUint32(4);
  if (high >>> 31 === 0) {
    high ^= 0x80000000;
  } else {
    high = ~high;
    low = ~low;
  }
  target[offset] = high >>> 24;
  target[offset + 1] = high >>> 16;
  target[offset + 2] = high >>> 8;
  target[offset + 3] = high;
  target[offset + 4] = low >>> 24;
  target[offset + 5] = low >>> 16;
  target[offset + 6] = low >>> 8;
  target[offset + 7] = low;
  return offset + DOUBLE_SIZE;
}

function readDouble(source: Uint8Array, offset: number): number {
  let high = (source[offset] << 24) | (source[offset + 1] << 16) | (source[offset + 2] << 8) | source[offset + 3];
  let low = (source[offset + 4] << 24) | (source[offset + 5] << 16) | (source[offset + 6] << 8) | source[offset + 7];
  if (high < 0) {
    high ^= 0x80000000;
  } else {
    high = ~high;
    low = ~low;
  }
  scratch.setInt32(0, high);
  scratch.setInt32(4, low);
  return scratch.getFloat64(0);
}

/** The largest double that is not above `value`. */
function floorDouble(value: bigint): number {
  const nearest = Number(value);
  if (nearest === Infinity) return Number.MAX_VALUE;
  if (nearest === -Infinity || BigInt(nearest) <= value) return nearest;
  // Conversion rounded up: step down by one unit in the last place. Zero is exact, so the sign never changes here.
  scratch.setFloat64(0, nearest);
  const bits = scratch.getBigUint64(0);
  scratch.setBigUint64(0, nearest > 0 ? bits - 1n : bits + 1n);
  return scratch.getFloat64(0);
}

/** An upper bound of the bytes that `writeBigint` writes. */
export function bigintBound(value: bigint): number {
  if (BigInt.asIntN(64, value) === value) return DOUBLE_SIZE + 1 + SHORT_DISTANCE_SIZE;
  const distance = distanceFrom(floorDouble(value), value);
  return DOUBLE_SIZE + BIGINT_OVERHEAD + ((distance.toString(16).length + 1) >> 1);
}

/** What a bigint's suffix says: how far it lies above its floor, or its magnitude where there is no finite floor. */
function distanceFrom(floor: number, value: bigint): bigint {
  return floor === -Infinity ? -value : value - BigInt(floor);
}

/** Writes a bigint after its tag and returns the end offset. */
export function writeBigint(target: Uint8Array, offset: number, value: bigint): number {
  const floor = floorDouble(value);
  const distance = distanceFrom(floor, value);
  offset = writeDouble(target, offset, floor);
  if (distance === 0n) {
    target[offset++] = SUFFIX_EXACT;
    return offset;
  }
  target[offset++] = SUFFIX_ABOVE;
  return writeMagnitude(target, offset, distance, floor === -Infinity ? 0xff : 0);
}

/** Writes the length and the big-endian bytes of a positive integer, each byte xored with `mask`. */
function writeMagnitude(target: Uint8Array, offset: number, magnitude: bigint, mask: number): number {
  let digits = magnitude.toString(16);
  if (digits.length % 2 === 1) digits = `0${digits}`;
  const size = digits.length / 2;
  if (size <= SHORT_LENGTH) {
    target[offset++] = size ^ mask;
  } else {
    const count = sizeOfLength(size);
    target[offset++] = (SHORT_LENGTH + count) ^ mask;
    for (let shift = 8 * (count - 1); shift >= 0; shift -= 8) target[offset++] = ((size >>> shift) & 0xff) ^ mask;
  }
  for (let index = 0; index < digits.length; index += 2) {
    target[offset++] = ((hexDigit(digits.charCodeAt(index)) << 4) | hexDigit(digits.charCodeAt(index + 1))) ^ mask;
  }
  return offset;
}

function sizeOfLength(length: number): number {
  return length < 0x100 ? 1 : length < 0x10000 ? 2 : length < 0x1000000 ? 3 : 4;
}

function hexDigit(unit: number): number {
  return unit < 0x3a ? unit - 0x30 : unit - 0x57;
}

function damaged(): CorruptionError {
  return new CorruptionError('A number in a key of the store is malformed: run verify(), or restore it from a backup.');
}

/** Reads a number or bigint that begins after its tag at `start`; `lastNumberEnd` then tells where it ended. */
export function readNumber(source: Uint8Array, start: number, end: number): number | bigint {
  let offset = start + DOUBLE_SIZE;
  if (offset > end) throw damaged();
  const floor = readDouble(source, start);
  if (Number.isNaN(floor) || Object.is(floor, -0)) throw damaged();
  numberEnd = offset;
  if (offset === end || source[offset] < SUFFIX_EXACT) return floor;
  if (source[offset++] === SUFFIX_EXACT) {
    if (!Number.isInteger(floor)) throw damaged();
    numberEnd = offset;
    return BigInt(floor);
  }
  if (floor !== -Infinity && !Number.isInteger(floor)) throw damaged();
  const magnitude = readMagnitude(source, offset, end, floor === -Infinity ? 0xff : 0);
  const value = floor === -Infinity ? -magnitude : BigInt(floor) + magnitude;
  if (floorDouble(value) !== floor) throw damaged();
  return value;
}

function readMagnitude(source: Uint8Array, offset: number, end: number, mask: number): bigint {
  if (offset >= end) throw damaged();
  let size = source[offset++] ^ mask;
  if (size > SHORT_LENGTH) {
    const count = size - SHORT_LENGTH;
    if (count > 4 || offset + count > end) throw damaged();
    size = 0;
    for (let index = 0; index < count; index++) size = size * 0x100 + (source[offset++] ^ mask);
    if (size <= SHORT_LENGTH || sizeOfLength(size) !== count) throw damaged();
  }
  if (size === 0 || offset + size > end || (source[offset] ^ mask) === 0) throw damaged();
  const digits: string[] = ['0x'];
  for (const stop = offset + size; offset < stop; offset++) {
    digits.push((0x100 | (source[offset] ^ mask)).toString(16).slice(1));
  }
  numberEnd = offset;
  return BigInt(digits.join(''));
}

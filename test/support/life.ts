/**
 * What a writer does in one of its lives: every operation, to the byte, is a function of seed, life and number. Operations are applied in the order of their numbers, so whoever
 * knows how many of them a store holds knows everything that is in it.
 */
import { createHash } from 'node:crypto';
import type { BatchOperation } from '../../src/batch.js';
import type { Store } from '../../src/store.js';
import { Random } from './random.js';

export const KEY_COUNT = 40;
/** Room for the stamp. */
const VALUE_SIZE_MIN = 12;

/** One key that an operation writes: a value of so many bytes, or undefined for a delete. */
export interface Write {
  readonly key: number;
  readonly size: number | undefined;
}

export interface Operation {
  readonly form: 'put' | 'delete' | 'cas' | 'batch' | 'transaction';
  readonly writes: readonly Write[];
}

/** Which write a value comes from. It stands in the value's first bytes. */
export interface Stamp {
  readonly life: number;
  readonly number: number;
  readonly index: number;
}

export const keyOf = (key: number): string => `key${key}`;

function sizeOf(random: Random): number {
  const choice = random.below(100);
  // The last are larger than a segment of the stores of these tests, and are kept in parts.
  return VALUE_SIZE_MIN + (choice < 80 ? random.below(300) : choice < 95 ? random.below(4000) : random.below(24_000));
}

/** Some of all keys, each once. */
function keysOf(random: Random, count: number): number[] {
  const keys = new Set<number>();
  while (keys.size < count) keys.add(random.below(KEY_COUNT));
  return [...keys];
}

function randomOf(seed: number, life: number, number: number): Random {
  return new Random(Math.imul(seed ^ Math.imul(life, 0x9e3779b1), 0x85ebca6b) ^ Math.imul(number + 1, 0xc2b2ae35));
}

export function operationOf(seed: number, life: number, number: number): Operation {
  const random = randomOf(seed, life, number);
  const choice = random.below(100);
  if (choice < 12) return { form: 'delete', writes: [{ key: random.below(KEY_COUNT), size: undefined }] };
  if (choice < 50) return { form: 'put', writes: [{ key: random.below(KEY_COUNT), size: sizeOf(random) }] };
  if (choice < 60) return { form: 'cas', writes: [{ key: random.below(KEY_COUNT), size: sizeOf(random) }] };
  const writes = keysOf(random, 2 + random.below(5)).map((key) => ({ key, size: random.chance(0.2) ? undefined : sizeOf(random) }));
  return { form: choice < 80 ? 'batch' : 'transaction', writes };
}

/** The bytes that a write puts: its stamp, and then zeros, words without a pattern, or stretches of both, because a zero sector is what a lost one looks like. */
export function bytesOf(seed: number, { life, number, index }: Stamp, size: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(size / 4));
  let word = Math.imul(seed ^ Math.imul(life + 1, 0x27d4eb2f), 0x165667b1) ^ Math.imul(number * 8 + index + 1, 0x9e3779b1) || 1;
  const sort = word & 3;
  for (let at = 3; at < words.length; at++) {
    word ^= word << 13;
    word ^= word >>> 17;
    word ^= word << 5;
    words[at] = sort === 0 || (sort === 1 && (at >> 7) % 2 === 0) ? 0 : word;
  }
  words.set([life, number, index]);
  return new Uint8Array(words.buffer, 0, size);
}

/** Where a value says that it comes from. */
export function stampOf(value: Uint8Array): Stamp {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  return { life: view.getUint32(0, true), number: view.getUint32(4, true), index: view.getUint32(8, true) };
}

export const digestOf = (value: Uint8Array): string => createHash('sha1').update(value).digest('base64');

function batchOf(seed: number, life: number, number: number, writes: readonly Write[]): BatchOperation<unknown>[] {
  return writes.map(({ key, size }, index) => (size === undefined
    ? { type: 'delete', key: keyOf(key) }
    : { type: 'put', key: keyOf(key), value: bytesOf(seed, { life, number, index }, size) }));
}

/** Applies an operation before it returns. Resolves with its version, 0 where there was nothing to do, when the mode's promise holds; with `isSync` that is when the call returns. */
export function perform(db: Store, seed: number, life: number, number: number, isSync: boolean): Promise<number> | number {
  const { form, writes } = operationOf(seed, life, number);
  const key = keyOf(writes[0]!.key);
  const value = (): Uint8Array => bytesOf(seed, { life, number, index: 0 }, writes[0]!.size!);
  switch (form) {
    case 'put':
      return isSync ? db.putSync(key, value()) : db.put(key, value());
    case 'delete':
      return isSync ? db.deleteSync(key) : db.delete(key);
    case 'cas': {
      const version = db.getEntry(key)?.version ?? 0;
      return isSync ? db.casSync(key, version, value()).version : db.cas(key, version, value()).then((result) => result.version);
    }
    case 'batch':
      return isSync ? db.batchSync(batchOf(seed, life, number, writes)) : db.batch(batchOf(seed, life, number, writes));
    case 'transaction': {
      const tx = db.begin();
      for (const operation of batchOf(seed, life, number, writes)) {
        tx.get(operation.key as string);
        if (operation.type === 'put') tx.put(operation.key as string, operation.value);
        else tx.delete(operation.key as string);
      }
      return isSync ? tx.commitSync() : tx.commit();
    }
  }
}

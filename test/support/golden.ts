/** What the golden files hold: stores as each version of the format has them, kept in the repository and opened by every release that comes after (F-76). */
import type { Device } from '../../src/device/device.js';
import type { Store } from '../../src/store.js';
import { openStore } from './stores.js';

/** The versions of the format of which there are golden files. */
export const GOLDEN_VERSIONS: readonly number[] = [1];
/** A store that was closed, and one whose process ended in the middle of its work. */
export const GOLDEN_ENDS = ['closed', 'crashed'] as const;

const SEGMENT_SIZE = 4096;
const LARGE = Uint8Array.from({ length: 9000 }, (_, index) => index * 31);
/** Of every type of key, and of every type of value. */
const ENTRIES: readonly (readonly [Parameters<Store['get']>[0], unknown])[] = [
  [null, null], [false, true], [true, false], [-1.5, 'a number'], [7n, 7n], ['', ''], ['__proto__', { nested: ['list', 1, null] }], ['\ud800', 'half of a pair'],
  ['key\u0000', new Uint8Array([0, 1, 2])], [new Uint8Array([0, 255]), new Date(1_700_000_000_000)], [['tuple', 1, ['inner', null]], new Map([['a', 1n]])], ['large', LARGE], ['set', new Set([1, 'two'])],
];

export function goldenName(version: number, end: string): string {
  return `format-${version}-${end}.varve`;
}

/** Makes what a golden file holds, in two lives. */
export async function makeGolden(device: () => Device, end: (typeof GOLDEN_ENDS)[number]): Promise<void> {
  const first = openStore(device(), { segmentSize: SEGMENT_SIZE, history: 'all' }, 76);
  for (const [key] of ENTRIES) await first.put(key, 'to be overwritten');
  for (const [key, value] of ENTRIES) await first.put(key, value);
  await first.put('deleted', 1);
  await first.delete('deleted');
  await first.put('expires', 'one day', { expiresAt: 4_000_000_000_000 });
  await first.close();
  const second = openStore(device(), { history: 'all' }, 77);
  await second.keyspace('people').put('anna', { age: 30 });
  await second.batch(Array.from({ length: 6 }, (_, index) => ({ type: 'put', key: ['batch', index], value: new Uint8Array(1200).fill(index) })));
  await second.transact((tx) => {
    tx.put('counter', 1);
    tx.put('other', 2);
  });
  if (end === 'closed') await second.close();
}

/** What a golden store shows, in the order of its keys, as far as a value can be told by its text. */
export function goldenContent(db: Store): string[] {
  const text = (value: unknown): string => {
    if (value instanceof Uint8Array) return `bytes ${value.length} ${value.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7)}`;
    if (value instanceof Map || value instanceof Set) return `${value.constructor.name} ${[...value].map(text).join()}`;
    if (value instanceof Date) return `date ${value.getTime()}`;
    if (Array.isArray(value)) return `[${value.map(text).join()}]`;
    if (typeof value === 'string') return JSON.stringify(value);
    return typeof value === 'object' && value !== null ? `{${Object.entries(value).map(([name, one]) => `${name}: ${text(one)}`).join()}}` : `${typeof value} ${String(value)}`;
  };
  const all = [...db.scan()].map(({ key, value, version }) => `${text(key)} = ${text(value)} at ${version}`);
  const people = [...db.keyspace('people').scan()].map(({ key, value, version }) => `people: ${text(key)} = ${text(value)} at ${version}`);
  const history = [...db.history('__proto__')].map(({ version, value, deleted }) => `history: ${version} ${deleted ? 'deleted' : text(value)}`);
  return [...all, ...people, ...history, `deleted: ${[...db.history('deleted')].map(({ deleted }) => deleted).join()}`];
}

/** Files that somebody removes, moves, replaces or cuts while a store is open in them. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { openNodeDevice } from '../../src/device/node-file.js';
import { open, type Store } from '../../src/index.js';
import { openOnDevice } from '../../src/open.js';
import { resolveOptions } from '../../src/options.js';
import { Random, seedOf } from '../support/random.js';

const folder = fs.mkdtempSync(join(tmpdir(), 'varve-moved-'));
afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));
let count = 0;

const VALUE_SIZE = 4000;
/** The most that may be written before the store notices: the path is looked at every 256 KiB. */
const PUTS_MAX = Math.ceil((512 << 10) / VALUE_SIZE);
const valueOf = (key: number): Uint8Array => new Uint8Array(VALUE_SIZE).fill(key + 1);
const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);

/** A store in a folder of its own, with some keys in it. */
async function make(mode: 'strict' | 'buffered' | 'relaxed'): Promise<{ place: string; path: string; db: Store }> {
  const place = join(folder, `place${count++}`);
  fs.mkdirSync(place);
  const path = join(place, 'store.varve');
  const db = await open(path, { durability: mode });
  for (let key = 0; key < 10; key++) await db.put(key, valueOf(key));
  return { place, path, db };
}

/** Puts keys from 10 on until the store stops. Returns how many were acknowledged in all, and why no more. */
async function putUntilStopped(db: Store): Promise<{ acknowledged: number; reason: unknown }> {
  for (let key = 10; key < 10 + PUTS_MAX; key++) {
    try {
      await db.put(key, valueOf(key));
    } catch (reason) {
      return { acknowledged: key, reason };
    }
  }
  throw new Error('the store has not noticed');
}

interface Deed {
  readonly what: string;
  readonly act: (place: string, path: string) => void;
  /** Where the file is then, with everything in it. */
  readonly found?: (place: string) => string;
  readonly word: string;
}

const deeds: readonly Deed[] = [
  { what: 'the file was removed', act: (_, path) => fs.rmSync(path), word: 'removed' },
  { what: 'the file was moved', act: (_, path) => fs.renameSync(path, `${path}.away`), found: (place) => join(place, 'store.varve.away'), word: 'moved' },
  { what: 'the folder was moved', act: (place) => fs.renameSync(place, `${place}.away`), found: (place) => join(`${place}.away`, 'store.varve'), word: 'moved' },
  { what: 'the folder was removed', act: (place) => fs.rmSync(place, { recursive: true }), word: 'removed' },
  {
    what: 'another file was put in its place',
    act: (_, path) => {
      fs.writeFileSync(`${path}.other`, 'not a store');
      fs.renameSync(`${path}.other`, path);
    },
    word: 'replaced',
  },
  { what: 'the file was cut off', act: (_, path) => fs.truncateSync(path, 8192), word: 'cut off' },
];

for (const mode of ['strict', 'buffered'] as const) {
  describe(mode, () => {
    for (const { what, act, found, word } of deeds) {
      test(`${what}: the store stops, says so, and closes (F-63)`, async () => {
        const { place, path, db } = await make(mode);
        act(place, path);
        const { acknowledged, reason } = await putUntilStopped(db);
        expect(codeOf(reason)).toBe('VARVE_OUTCOME_UNKNOWN');
        expect(String((reason as Error).cause)).toContain(word);
        expect(() => db.get(0)).toThrow(expect.objectContaining({ code: 'VARVE_POISONED' }) as Error);
        await db.close();
        if (found === undefined) return;
        const again = await open(found(place));
        for (let key = 0; key < acknowledged; key++) expect(again.get(key), `key ${key}`).toEqual(valueOf(key));
        await again.verify();
        await again.close();
      });
    }
  });
}

describe('where nothing is written between', () => {
  for (const mode of ['strict', 'buffered', 'relaxed'] as const) {
    for (const { what, act, found, word } of deeds.filter((deed) => deed.word !== 'cut off')) {
      test(`${mode}, ${what}: close says so (F-63)`, async () => {
        const { place, path, db } = await make(mode);
        act(place, path);
        const reason = await db.close().then(() => undefined, (error: unknown) => error);
        expect(codeOf(reason)).toBe('VARVE_POISONED');
        expect((reason as Error).message).toContain(word);
        if (found === undefined) return;
        const again = await open(found(place));
        for (let key = 0; key < 10; key++) expect(again.get(key), `key ${key}`).toEqual(valueOf(key));
        await again.close();
      });
    }
  }

  test('a store that has written nothing since it was opened closes, for nothing is lost', async () => {
    const { path, db } = await make('buffered');
    await db.close();
    const again = await open(path);
    fs.rmSync(path);
    await again.close();
  });

  test('what waits for a flush when such a store is closed is not acknowledged', async () => {
    const { path, db } = await make('strict');
    fs.rmSync(path);
    const put = db.put(10, valueOf(10)).then(() => 'acknowledged', codeOf);
    expect(await db.close().then(() => undefined, codeOf)).toBe('VARVE_POISONED');
    expect(await put).toBe('VARVE_OUTCOME_UNKNOWN');
  });
});

/** A store in a file that nothing touches between two calls: the thread that prepares slots ahead would bring a file that was cut to its size again, at a time of its own. */
async function openUndisturbed(path: string): Promise<Store> {
  const device = await openNodeDevice(path, { create: true, readOnly: false });
  Object.defineProperty(device, 'background', { value: undefined });
  return openOnDevice(device, resolveOptions({ segmentSize: 16_384, durability: 'relaxed' }), () => device.close());
}

test('a file that is cut off at any length while it is open is refused afterwards, or holds everything; written on and killed, it is at worst an earlier state, without holes (F-28, F-31, F-63)', async () => {
  const random = new Random(seedOf(63));
  const sizes = [1, 512, 4096, 8192, 8193, 8192 + 5 * 16_384, ...Array.from({ length: 10 }, () => 1 + random.below(140_000))];
  const outcomes = { refused: 0, whole: 0, earlier: 0 };
  for (const size of sizes) {
    for (const end of ['closed', 'killed', 'written on and killed'] as const) {
      const where = `cut to ${size}, ${end}`;
      const path = join(folder, `cut${count++}.varve`);
      const db = await openUndisturbed(path);
      for (let key = 0; key < 30; key++) db.putSync(key, valueOf(key));
      await db.flush();
      fs.truncateSync(path, size);
      if (end !== 'killed') {
        // Brings the file to its size again, with a hole in it.
        db.putSync(30, valueOf(30));
        await db.flush();
      }
      const image = fs.readFileSync(path);
      await db.close().catch(() => undefined);
      if (end !== 'closed') fs.writeFileSync(path, image);
      const again = await open(path, { create: false }).catch((error: unknown) => {
        expect(['VARVE_CORRUPTION', 'VARVE_FORMAT'], `${where}: ${String(error)}`).toContain(codeOf(error));
        outcomes.refused++;
      });
      if (again !== undefined) {
        const held = Array.from({ length: 31 }, (_, key) => again.get(key));
        const first = held.includes(undefined) ? held.indexOf(undefined) : held.length;
        expect(held, `${where}: no holes, and no other values`).toEqual(Array.from({ length: 31 }, (_, key) => (key < first ? valueOf(key) : undefined)));
        // In a file that has its size again, nothing that is left names what stood behind the last segment, when nobody has closed the store since.
        if (end !== 'written on and killed') expect(first, where).toBeGreaterThanOrEqual(30);
        outcomes[first >= 30 ? 'whole' : 'earlier']++;
        await again.close();
      }
      fs.rmSync(path);
    }
  }
  expect(outcomes.refused).toBeGreaterThan(20);
  process.stdout.write(`cut off while open: ${outcomes.refused} refused, ${outcomes.whole} whole, ${outcomes.earlier} written on, killed and in an earlier state\n`);
});

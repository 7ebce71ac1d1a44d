/** The public API on every kind of store, as its most careful user would use it; and what stores in files of the operating system do beside. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { open, ReadOnlyError } from '../../src/index.js';
import { storeContract } from '../contract/store.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let fileCount = 0;
const newPath = (): string => join(folder, `${fileCount++}.varve`);

storeContract(newPath);

describe('a file', () => {
  const options = { memory: { initial: 1 << 20 } } as const;

  test('opened and closed without a write keeps every byte (L7)', async () => {
    const path = newPath();
    const db = await open(path, options);
    await db.put('a', 1);
    await db.close();
    const bytes = readFileSync(path);
    for (const mode of [{}, { readOnly: true }, { salvage: true }]) {
      const again = await open(path, { ...options, ...mode });
      expect(again.get('a')).toBe(1);
      await again.flush();
      await again.close();
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
  });

  test('of which nothing but a creation that was cut off is there is made anew, whatever its segments (F-07)', async () => {
    for (const segmentSize of [4096, 2 ** 24]) {
      const whole = newPath();
      await (await open(whole, { ...options, segmentSize })).close();
      // The header of the first segment is there, and neither of the superblocks.
      const header = readFileSync(whole).subarray(0, 8192 + 512).fill(0, 0, 8192);
      for (const begin of [header.subarray(0, 8192), header]) {
        const path = newPath();
        writeFileSync(path, begin);
        truncateSync(path, 8192 + 5 * segmentSize);
        const db = await open(path, { ...options, segmentSize });
        expect(db.recovery.created).toBe(true);
        await db.put('a', 1);
        await db.close();
        const again = await open(path, { ...options, create: false });
        expect(again.get('a')).toBe(1);
        await again.close();
        rmSync(path);
      }
      rmSync(whole);
    }
  });

  test('read-only reads everything and refuses writes; others may read beside it', async () => {
    const path = newPath();
    const db = await open(path, options);
    await db.put('a', 1);
    await db.close();
    const [one, two] = [await open(path, { ...options, readOnly: true }), await open(path, { ...options, readOnly: true })];
    expect([one.get('a'), two.get('a')]).toEqual([1, 1]);
    await one.verify();
    expect(one.snapshot().get('a')).toBe(1);
    for (const call of [() => one.putSync('a', 2), () => one.deleteSync('a'), () => one.casSync('a', 0, 1), () => one.batchSync([]), () => one.begin().put('a', 1)]) expect(call).toThrow(ReadOnlyError);
    await expect(one.put('a', 2)).rejects.toBeInstanceOf(ReadOnlyError);
    expect(one.transactSync((tx) => tx.get('a'))).toBe(1);
    await one.close();
    await two.close();
  });

  test('can be copied when it is closed, and found through a link', async () => {
    const path = newPath();
    const db = await open(path, options);
    await db.put('a', 1);
    await db.close();
    copyFileSync(path, `${path}.copy`);
    symlinkSync(path, `${path}.link`);
    for (const other of [`${path}.copy`, `${path}.link`]) {
      const again = await open(other, options);
      expect(again.get('a')).toBe(1);
      await again.close();
    }
  });

  test('takes a compiled module', async () => {
    const module = new WebAssembly.Module(readFileSync(new URL('../../dist/varve.wasm', import.meta.url)));
    const db = await open(newPath(), { ...options, module });
    await db.put('a', 1);
    expect(db.get('a')).toBe(1);
    await db.close();
  });
});

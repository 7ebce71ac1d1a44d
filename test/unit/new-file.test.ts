/** Files that take their name when they are whole: what the platform may refuse on the way, and what is then there. */
import * as fs from 'node:fs';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { FileSystem } from '../../src/device/node-builtin.js';
import { createNodeFile } from '../../src/device/node-new-file.js';
import { FullError, InvalidArgumentError, IoError, ReadOnlyError } from '../../src/errors.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-new-file-'));
afterAll(() => rmSync(folder, { recursive: true }));
let number = 0;
const newPath = (): string => join(folder, `${number++}.varve`);
const BYTES = new TextEncoder().encode('all of it');

/** Node's file system, but for calls that fail. */
function failing(calls: Readonly<Record<string, string>>): FileSystem {
  const failed = Object.fromEntries(Object.entries(calls).map(([name, code]) => [name, () => { throw Object.assign(new Error(`${code}: refused`), { code }); }]));
  return { ...fs, ...failed } as FileSystem;
}

async function make(path: string, overwrite: boolean, system: FileSystem): Promise<void> {
  const file = await createNodeFile(path, { overwrite }, system);
  try {
    file.device.write(BYTES, 0, BYTES.length, 0);
    await file.device.flush();
    await file.commit();
  } finally {
    file.discard();
  }
}

const parts = (): string[] => readdirSync(folder).filter((name) => name.endsWith('.part'));

test('a file has its name when it is whole, and nothing of it before', async () => {
  const path = newPath();
  const file = await createNodeFile(path, { overwrite: false });
  file.device.write(BYTES, 0, BYTES.length, 0);
  expect(readdirSync(folder)).toEqual(parts());
  expect(parts()).toHaveLength(1);
  await file.commit();
  file.discard();
  expect([readFileSync(path), parts()]).toEqual([Buffer.from(BYTES), []]);
});

test('where there are no hard links the file is renamed', async () => {
  for (const code of ['EPERM', 'ENOSYS', 'EOPNOTSUPP']) {
    const path = newPath();
    await make(path, false, failing({ linkSync: code }));
    expect([readFileSync(path), parts()]).toEqual([Buffer.from(BYTES), []]);
  }
});

test('what the platform refuses comes out as the error for it, and leaves nothing behind', async () => {
  for (const [calls, error] of [[{ linkSync: 'EIO' }, IoError], [{ linkSync: 'ENOSPC' }, FullError], [{ linkSync: 'EROFS' }, ReadOnlyError], [{ linkSync: 'EPERM', renameSync: 'EIO' }, IoError]] as const) {
    const path = newPath();
    await expect(make(path, false, failing(calls)), JSON.stringify(calls)).rejects.toThrow(error);
    expect([fs.existsSync(path), parts()]).toEqual([false, []]);
  }
  const path = newPath();
  writeFileSync(path, 'theirs');
  await expect(make(path, true, failing({ renameSync: 'EIO' }))).rejects.toThrow(IoError);
  await expect(make(path, false, failing({}))).rejects.toThrow(InvalidArgumentError);
  expect([readFileSync(path, 'utf8'), parts(), fs.existsSync(`${path}.lock`)]).toEqual(['theirs', [], false]);
});

test('a part that cannot be removed is left, with a name that says what it is', async () => {
  const path = newPath();
  const file = await createNodeFile(path, { overwrite: false }, failing({ unlinkSync: 'EIO' }));
  file.discard();
  file.discard();
  expect(parts()).toEqual([expect.stringMatching(/^\d+\.varve\.[0-9a-f]{16}\.part$/)]);
});

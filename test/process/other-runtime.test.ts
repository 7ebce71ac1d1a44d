/**
 * A store that is shared between runtimes: whoever holds it keeps the other out, a dead holder is succeeded, and what one has written the other reads. This process is one side; the other is the Node
 * that VARVE_NODE names, or another process of this one (F-60, F-62).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LockedError, open } from '../../src/index.js';
import { bundle } from '../support/bundle.js';
import { Child } from '../support/children.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-runtimes-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const node = process.env['VARVE_NODE'] ?? process.execPath;
bundle(join(folder, 'varve.mjs'), 'src/index.ts');
// Opens a store when it is told to, says whether it could, and puts a key when it is told to.
writeFileSync(join(folder, 'other.mjs'), `
  import { createInterface } from 'node:readline';
  import { open } from './varve.mjs';
  let store;
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, argument] = line.split(' ');
    try {
      if (command === 'open') store = await open(argument, { durability: 'strict' });
      if (command === 'put') await store.put(argument, process.version);
      if (command === 'close') await store.close();
      console.log('done');
    } catch (error) {
      console.log([error.code, error.pid].join(' '));
    }
  }`);

const other = (): Child => new Child(node, [join(folder, 'other.mjs')], { cwd: folder });
let count = 0;
const newPath = (): string => join(folder, `${count++}.varve`);

async function ask(child: Child, line: string): Promise<string> {
  child.tell(line);
  return child.hear();
}

test('a store that another runtime holds is refused, and its holder named', async () => {
  const path = newPath();
  const holder = other();
  try {
    expect(await ask(holder, `open ${path}`)).toBe('done');
    const refusal = await open(path).then(() => undefined, (error: unknown) => error);
    expect(refusal).toBeInstanceOf(LockedError);
    expect((refusal as LockedError).pid).toBe(holder.pid);
    await expect(open(path, { readOnly: true })).rejects.toBeInstanceOf(LockedError);
    expect(await ask(holder, 'close')).toBe('done');
    await (await open(path)).close();
  } finally {
    await holder.kill();
  }
});

test('a store that this runtime holds is refused in another', async () => {
  const path = newPath();
  const store = await open(path);
  const outsider = other();
  try {
    expect(await ask(outsider, `open ${path}`)).toBe(`VARVE_LOCKED ${process.pid}`);
    await store.close();
    expect(await ask(outsider, `open ${path}`)).toBe('done');
  } finally {
    await outsider.kill();
  }
});

test('a holder in another runtime that was killed is succeeded, with everything that it was told is there', async () => {
  const path = newPath();
  const holder = other();
  expect(await ask(holder, `open ${path}`)).toBe('done');
  for (let key = 0; key < 20; key++) expect(await ask(holder, `put key${key}`)).toBe('done');
  await holder.kill();
  const store = await open(path);
  for (let key = 0; key < 20; key++) expect(store.get(`key${key}`)).toMatch(/^v\d+/);
  await store.close();
});

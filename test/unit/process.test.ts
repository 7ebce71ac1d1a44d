/** Stores in processes of their own: who holds the file, what a kill leaves, and what keeps a process alive. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, test } from 'vitest';
import { LockedError, open } from '../../src/index.js';
import { bundle } from '../support/bundle.js';
import { Random, seedOf } from '../support/random.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-process-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
bundle(join(folder, 'varve.mjs'), 'src/index.ts');
let fileCount = 0;
const newPath = (): string => join(folder, `${fileCount++}.varve`);

/** Runs a program that has `open`, `path` and `say`, a line to us, at hand. */
function start(path: string, program: string): { child: ChildProcess; lines: AsyncIterableIterator<string>; ended: Promise<{ code: number | null; signal: string | null }> } {
  const file = join(folder, `program-${fileCount++}.mjs`);
  writeFileSync(file, `
    import { open } from './varve.mjs';
    import { writeSync } from 'node:fs';
    const path = ${JSON.stringify(path)};
    // A pipe that is full does not block, and takes the rest later.
    const say = (line) => {
      for (let bytes = Buffer.from(line + '\\n'); bytes.length > 0;) {
        try {
          bytes = bytes.subarray(writeSync(1, bytes));
        } catch (error) {
          if (error.code !== 'EAGAIN') throw error;
        }
      }
    };
    ${program}`);
  const child = spawn(process.execPath, [file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  return { child, lines: createInterface({ input: child.stdout! })[Symbol.asyncIterator](), ended };
}

async function nextLine(lines: AsyncIterableIterator<string>): Promise<string> {
  const { value, done } = await lines.next();
  if (done === true) throw new Error('the process ended before it said what was awaited');
  return value;
}

test('a second process is told who holds the file; a kill -9 lets it go', async () => {
  const path = newPath();
  const { child, lines, ended } = start(path, `const db = await open(path); await db.put('a', 1); say('held'); setInterval(() => {}, 1000);`);
  expect(await nextLine(lines)).toBe('held');
  for (const options of [{}, { readOnly: true }]) {
    const error: unknown = await open(path, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LockedError);
    expect((error as LockedError).pid).toBe(child.pid);
    expect((error as LockedError).message).toContain(String(child.pid));
  }
  child.kill('SIGKILL');
  await ended;
  const db = await open(path);
  expect(db.get('a')).toBe(1);
  expect(db.recovery.clean).toBe(false);
  await db.close();
});

test('close gives the file back, while the process lives on', async () => {
  const path = newPath();
  const { child, lines, ended } = start(path, `const db = await open(path); await db.put('a', 1); await db.close(); say('closed'); setInterval(() => {}, 1000);`);
  expect(await nextLine(lines)).toBe('closed');
  const db = await open(path);
  expect([db.get('a'), db.recovery.clean]).toEqual([1, true]);
  await db.close();
  child.kill('SIGKILL');
  await ended;
});

test.each(['buffered', 'relaxed'])('%s: a process that ends in order without close leaves all its writes, and no timer keeps it alive', async (durability) => {
  const path = newPath();
  const { lines, ended } = start(path, `
    const db = await open(path, { durability: '${durability}', flushInterval: 3_600_000 });
    for (let key = 0; key < 1000; key++) db.putSync(key, key);
    say('done');`);
  expect(await nextLine(lines)).toBe('done');
  expect(await ended).toEqual({ code: 0, signal: null });
  const db = await open(path);
  for (let key = 0; key < 1000; key++) expect(db.get(key)).toBe(key);
  await db.close();
});

test('a process that exits at once hands over what it had applied', async () => {
  const path = newPath();
  const { ended } = start(path, `const db = await open(path, { durability: 'relaxed' }); for (let key = 0; key < 100; key++) db.putSync(key, key); process.exit(3);`);
  expect(await ended).toEqual({ code: 3, signal: null });
  const db = await open(path);
  expect(db.stats().keys).toBe(100);
  await db.close();
});

test('a store that is open and idle keeps no process alive', async () => {
  const { ended } = start(newPath(), `const db = await open(path); await db.put('a', 1); db.snapshot();`);
  expect(await ended).toEqual({ code: 0, signal: null });
});

/** The child of the loop: puts and batches in turn, and says each once it is acknowledged. */
const WRITER = (durability: string, from: number): string => `
  const db = await open(path, { durability: '${durability}', segmentSize: 16384 });
  say('ready');
  const writer = async (lane) => {
    for (let round = 0; ; round++) {
      const number = ${from} + lane + round * 4;
      if (number % 3 === 0) {
        const version = await db.batch([0, 1, 2].map((part) => ({ type: 'put', key: ['batch', number % 60, part], value: number })));
        say('batch ' + number + ' ' + version);
      } else {
        const version = await db.put(['put', number % 200], { number, text: 'x'.repeat(number % 500) });
        say('put ' + number + ' ' + version);
      }
    }
  };
  for (let lane = 0; lane < 4; lane++) writer(lane);`;

test('kill -9, again and again: nothing acknowledged is lost, batches are whole, and no version is issued twice', async () => {
  const rounds = Number(process.env['VARVE_SOAK'] ?? 12);
  const seed = seedOf(33);
  const random = new Random(seed);
  const path = newPath();
  const issued = new Map<number, string>();
  let newest = 0;
  for (let round = 0; round < rounds; round++) {
    const where = `seed ${seed}, round ${round}`;
    const durability = random.pick(['strict', 'buffered']);
    const { child, lines, ended } = start(path, WRITER(durability, round * 1_000_000));
    const until = random.below(600);
    const acknowledged = new Map<string, { number: number; version: number }>();
    let count = 0;
    for await (const line of lines) {
      const [kind, number, version] = line.split(' ');
      if (version === undefined) {
        if (kind === 'ready' && until === 0) child.kill('SIGKILL');
        continue;
      }
      const said = `${kind} ${number}`;
      expect(issued.get(Number(version)) ?? said, `${where}: version ${version} was issued twice`).toBe(said);
      issued.set(Number(version), said);
      newest = Math.max(newest, Number(version));
      const key = kind === 'put' ? `put ${Number(number) % 200}` : `batch ${Number(number) % 60}`;
      if ((acknowledged.get(key)?.version ?? 0) < Number(version)) acknowledged.set(key, { number: Number(number), version: Number(version) });
      if (++count === until) child.kill('SIGKILL');
    }
    expect((await ended).signal).toBe('SIGKILL');
    const db = await open(path);
    for (const [name, { number, version }] of acknowledged) {
      const [kind, slot] = name.split(' ');
      if (kind === 'put') {
        const entry = db.getEntry(['put', Number(slot)]);
        expect(entry!.version, `${where}: ${name}`).toBeGreaterThanOrEqual(version);
        if (entry!.version === version) expect(entry!.value).toEqual({ number, text: 'x'.repeat(number % 500) });
      } else {
        const parts = [0, 1, 2].map((part) => db.getEntry(['batch', Number(slot), part]));
        expect(parts.every((part) => part!.version === parts[0]!.version && part!.value === parts[0]!.value), `${where}: ${name} is whole`).toBe(true);
        expect(parts[0]!.version).toBeGreaterThanOrEqual(version);
      }
    }
    // What was seen here was shown too.
    const version = await db.put('round', round);
    expect(issued.has(version), `${where}: version ${version} was issued before`).toBe(false);
    expect(version).toBeGreaterThan(newest);
    issued.set(version, 'round');
    newest = version;
    await db.verify();
    await db.close();
  }
});

/** Processes that want one store at the same time, by whatever path; holders that are stopped; and locks that the dead have left. What a lock file may say is tested in `test/unit/lock.test.ts`. */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, expect, test } from 'vitest';
import { LockedError, open } from '../../src/index.js';
import { bundle } from '../support/bundle.js';
import { bundleProgram, Child } from '../support/children.js';
import { Random, seedOf } from '../support/random.js';

const folder = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), 'varve-races-')));
const library = join(folder, 'varve.mjs');
const program = join(folder, 'contender.mjs');
bundle(library, 'src/index.ts');
bundleProgram(program, 'test/support/contender.ts', 'contend');
const ROUNDS = 30;
const children = new Set<Child>();
let count = 0;
let raceCount = 0;
let namedCount = 0;

afterAll(async () => {
  await Promise.all([...children].map((child) => child.kill()));
  fs.rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`races for a store: ${raceCount}, one winner in each, who was named to ${namedCount} others\n`);
});

function contender(cwd?: string): Child {
  const child = new Child(process.execPath, [program], cwd === undefined ? {} : { cwd });
  children.add(child);
  return child;
}

/** A new store with one key in it. */
async function make(): Promise<string> {
  const path = join(folder, `store${count++}.varve`);
  const db = await open(path);
  await db.put('wins', 0);
  await db.close();
  return path;
}

/** All paths that lead to a store. */
function aliasesOf(path: string): string[] {
  const name = basename(path);
  fs.symlinkSync(path, `${path}.symbolic`);
  fs.linkSync(path, `${path}.hard`);
  fs.mkdirSync(`${path}.folder`, { recursive: true });
  fs.symlinkSync(folder, `${path}.folder/link`);
  return [path, `${path}.symbolic`, `${path}.hard`, `./${name}`, `${path}.folder/../${name}`, `${path}.folder/link/${name}`];
}

test('of any number of processes that open a store at once, by any path, one wins, and the others are told who (F-60, F-61)', async () => {
  const random = new Random(seedOf(60));
  const path = await make();
  const aliases = aliasesOf(path);
  const contenders = Array.from({ length: 4 }, () => contender(folder));
  await Promise.all(contenders.map(async (child) => expect(await child.hear()).toBe('ready')));
  for (let round = 0; round < ROUNDS; round++) {
    const chosen = contenders.map(() => random.pick(aliases));
    for (const [index, child] of contenders.entries()) child.tell(`open ${chosen[index]}`);
    const answers = await Promise.all(contenders.map((child) => child.hear()));
    const winners = contenders.filter((_, index) => answers[index] === 'opened');
    expect(winners.length, `round ${round}: ${answers.join(', ')}`).toBe(1);
    const winner = winners[0]!;
    for (const answer of answers) {
      if (answer === 'opened') continue;
      // Who has won and has not come round to leaving its name yet, which takes it less than a fifth of a second but on the busiest machine, cannot be named; nobody else ever is.
      expect([`locked ${winner.pid}`, 'locked undefined']).toContain(answer);
      if (answer !== 'locked undefined') namedCount++;
    }
    raceCount++;
    // By now the winner has left its name, beside the path that it came by: a hard link is another one.
    const late = contenders.find((child) => child !== winner)!;
    late.tell(`open ${chosen[contenders.indexOf(winner)]}`);
    expect(await late.hear()).toBe(`locked ${winner.pid}`);
    // Half of the winners die.
    if (random.chance(0.5)) {
      winner.tell('close');
      expect(await winner.hear()).toBe('closed');
    } else {
      children.delete(winner);
      await winner.kill();
      const heir = contenders[contenders.indexOf(winner)] = contender(folder);
      expect(await heir.hear()).toBe('ready');
    }
  }
  const db = await open(path);
  expect(db.get('wins'), 'each winner has counted once').toBe(ROUNDS);
  await db.close();
});

test('a holder that is stopped keeps the store, and nobody waits for it (F-60)', async () => {
  const path = await make();
  const holder = contender();
  expect(await holder.hear()).toBe('ready');
  holder.tell(`open ${path}`);
  expect(await holder.hear()).toBe('opened');
  process.kill(holder.process.pid!, 'SIGSTOP');
  for (const options of [{}, { readOnly: true }, { salvage: true }]) {
    const error: unknown = await open(path, options).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(LockedError);
    expect((error as LockedError).pid).toBe(holder.pid);
  }
  holder.process.kill('SIGCONT');
  holder.tell('close');
  expect(await holder.hear()).toBe('closed');
  const db = await open(path);
  expect([db.get('wins'), db.recovery.clean]).toEqual([1, true]);
  await db.close();
});

test('one process opens a store once: not again, not by another copy of the library, not in another thread (F-61)', async () => {
  const path = await make();
  const aliases = aliasesOf(path).filter((alias) => !alias.startsWith('.'));
  const db = await open(path);
  const copies = await Promise.all([0, 1].map((copy) => import(`${pathToFileURL(library).href}?${copy}`) as Promise<{ open: typeof open }>));
  for (const { open: openAny } of [{ open }, ...copies]) {
    for (const alias of aliases) await expect(openAny(alias)).rejects.toMatchObject({ code: 'VARVE_LOCKED', pid: process.pid });
  }
  const threads = await Promise.all(aliases.map((alias) => new Promise<string>((resolve, reject) => {
    const source = `import(${JSON.stringify(pathToFileURL(library).href)}).then(({ open }) => open(${JSON.stringify(alias)}))
      .then(() => 'opened', (error) => error.code).then((said) => require('node:worker_threads').parentPort.postMessage(said));`;
    new Worker(source, { eval: true }).on('message', resolve).on('error', reject);
  })));
  expect(new Set(threads)).toEqual(new Set(['VARVE_LOCKED']));
  await db.close();
  const again = await copies[0]!.open(path);
  await again.close();
});

/** Leaves a lock file as somebody else would who is not there any more. */
function forge(path: string, card: object): void {
  fs.writeFileSync(`${path}.lock`, JSON.stringify({
    pid: process.pid, started: '1', boot: fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), pidNamespace: fs.readlinkSync('/proc/self/ns/pid'),
    netNamespace: fs.readlinkSync('/proc/self/ns/net'), host: hostname(), nonce: 'b'.repeat(32), since: '2026-01-01T00:00:00.000Z', hasSocket: false, ...card,
  }));
}

test('a lock whose holder is dead is taken over by nobody\'s hand: its number belongs to another process now, or the machine was started anew (F-62)', async () => {
  const path = await make();
  // A process that lives, started at another time than the holder did.
  const other = spawn('sleep', ['60']);
  try {
    for (const card of [{ pid: other.pid }, { pid: process.pid }, { boot: 'an earlier one' }, { pid: 2 ** 22 - 1 }]) {
      for (const hasSocket of [true, false]) {
        forge(path, { ...card, hasSocket });
        const db = await open(path);
        expect((JSON.parse(fs.readFileSync(`${path}.lock`, 'utf8')) as { pid: number }).pid).toBe(process.pid);
        await db.close();
        expect(fs.readdirSync(folder).filter((name) => name.startsWith(`${basename(path)}.lock`))).toEqual([]);
      }
    }
    // The same number and the same time: the holder itself, as far as its lock file can tell.
    const stat = fs.readFileSync(`/proc/${other.pid}/stat`, 'utf8');
    forge(path, { pid: other.pid, started: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] });
    await expect(open(path)).rejects.toMatchObject({ code: 'VARVE_LOCKED', pid: other.pid });
  } finally {
    other.kill('SIGKILL');
  }
});

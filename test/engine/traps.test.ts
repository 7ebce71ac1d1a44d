/**
 * A trap in the core, wherever it comes: at every arm of every function that an operation comes through, one store each. The store stops at once and says so, nothing calls into the core again, closing
 * gives the device back, and opening again finds everything that was acknowledged, and of what was on its way all or nothing (F-66).
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OutcomeUnknownError, PoisonedError } from '../../src/errors.js';
import type { Snapshot, Store } from '../../src/index.js';
import { copyAtOnce } from '../support/copies.js';
import { CountedCore } from '../support/counted-core.js';
import { TURNS_MAX, type ArmKind } from '../support/instrument.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const OPTIONS = { durability: 'strict', flush: 'sync', segmentSize: 4096, history: { versions: 3 } } as const;
const core = CountedCore.shared('for all');
const figures = { traps: 0, operations: 0, absent: 0, present: 0 };
let image: Uint8Array;
let before: string;

/** What a store holds, as text. */
function contents(db: Store): string {
  const keyspaces = db.keyspaces().map((name) => [name, [...db.keyspace(name).scan()]]);
  return JSON.stringify([[...db.scan()], keyspaces], (_, value: unknown) => (value instanceof Uint8Array ? `${value.length} bytes of ${value[0]}` : value));
}

/** What operations work on: a store that was opened, with views of it that were begun. */
interface Scene {
  readonly db: Store;
  readonly snapshot: Snapshot<unknown>;
  readonly tx: ReturnType<Store['begin']>;
}

const OPERATIONS: Readonly<Record<string, (scene: Scene) => unknown>> = {
  'put of a new key': ({ db }) => db.putSync('new', { a: 1 }),
  'put over another': ({ db }) => db.putSync('key1', 'again'),
  'put of a large value': ({ db }) => db.putSync('key2', new Uint8Array(9000).fill(7)),
  'put that expires': ({ db }) => db.putSync('key3', 1, { ttl: 60_000 }),
  'delete': ({ db }) => db.deleteSync('key4'),
  'cas': ({ db }) => db.casSync('new', 0, 1),
  'batch over segments': ({ db }) => db.batchSync(Array.from({ length: 12 }, (_, index) => ({ type: 'put' as const, key: `key${index}`, value: new Uint8Array(900).fill(index) }))),
  'put, awaited': ({ db }) => db.put('new', 1),
  'transaction': ({ db }) => db.transactSync((tx) => {
    tx.put('new', tx.get('key5'));
    tx.delete('key6');
    tx.put('key7', [...tx.keys({ prefix: 'key' })].length);
  }),
  'get': ({ db }) => db.get('key8'),
  'get of a large value': ({ db }) => db.get('large'),
  'scan': ({ db }) => [...db.scan({ gte: 'key1', reverse: true })],
  'count': ({ db }) => db.count(),
  'read of a snapshot': ({ snapshot }) => [snapshot.get('key9'), ...snapshot.keys()],
  'snapshot': ({ db }) => db.snapshot().close(),
  'release of a snapshot': ({ snapshot }) => snapshot.close(),
  'history': ({ db }) => [...db.history('key0')],
  'read of a transaction': ({ tx }) => tx.get('key1'),
  'commit of a transaction': ({ tx }) => tx.commitSync(),
  'end of a transaction': ({ tx }) => tx.abort(),
  'dropped keyspace': ({ db }) => db.dropKeyspaceSync('people'),
  'put, and a flush': ({ db }) => Promise.all([db.put('new', 1), db.flush()]),
  'verification': ({ db }) => db.verify(),
  'copy': ({ db }) => copyAtOnce(db),
};

function begin(disk: SimulatedDisk): Scene {
  const db = openStore(disk, OPTIONS);
  const snapshot = db.snapshot();
  const tx = db.begin();
  tx.put('of the transaction', 'x'.repeat(500));
  db.putSync('key0', 'since the snapshot');
  return { db, snapshot, tx };
}

async function outcomeOf(run: () => unknown): Promise<unknown> {
  try {
    await run();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What is found on a disk by the next process. */
async function foundOn(disk: SimulatedDisk): Promise<string> {
  const db = openStore(new SimulatedDisk(disk.processImage()), OPTIONS);
  await db.verify();
  const found = contents(db);
  db.putSync('goes on', 1);
  await db.close();
  return found;
}

/** What an operation comes through, and what it leaves: the arms that can trap, and what is found afterwards. */
async function learn(run: (scene: Scene) => unknown): Promise<{ arms: number[]; after: string }> {
  const disk = new SimulatedDisk(image);
  const scene = begin(disk);
  core.clear();
  await run(scene);
  const counted = core.total();
  await scene.db.close();
  const arms = [...counted.keys()].filter((arm) => counted[arm] !== 0 && LIMITED.has(core.instrumented.arms[arm]!.kind));
  return { arms, after: await foundOn(disk) };
}

const LIMITED: ReadonlySet<ArmKind> = new Set(['function', 'loop', 'then', 'else']);
/** Of operations that come through more, a sample that moves on with the seed. */
const ARMS_MAX = process.env['VARVE_EXHAUSTIVE'] === undefined ? 25 : Infinity;

beforeAll(async () => {
  core.install({ isPooled: true });
  const disk = new SimulatedDisk();
  const db = openStore(disk, OPTIONS);
  for (let index = 0; index < 30; index++) db.putSync(`key${index}`, { index });
  db.putSync('large', new Uint8Array(9000).fill(3));
  db.keyspace('people').putSync('anna', 1);
  await db.close();
  image = disk.processImage();
  before = (await learn(() => undefined)).after;
  expect(before).toContain('since the snapshot');
});

for (const [name, run] of Object.entries(OPERATIONS)) {
  test(`${name}: a trap stops the store, and nothing is lost (F-66)`, async () => {
    const { arms, after } = await learn(run);
    expect(arms.length).toBeGreaterThan(3);
    const random = new Random(seedOf(66));
    const chosen = arms.length <= ARMS_MAX ? arms : Array.from({ length: ARMS_MAX }, () => random.pick(arms));
    for (const arm of chosen) {
      const where = `${name}, ${core.instrumented.arms[arm]!.kind} at byte ${core.instrumented.arms[arm]!.offset} of the module`;
      const disk = new SimulatedDisk(image);
      const { db, snapshot, tx } = begin(disk);
      core.clear();
      core.trapAt(arm);
      const error = await outcomeOf(() => run({ db, snapshot, tx }));
      const calls = core.total();
      expect(calls[arm], `${where}: the trap`).toBeGreaterThan(TURNS_MAX);
      if (error !== undefined) expect(error instanceof PoisonedError || error instanceof OutcomeUnknownError, `${where}: ${String(error)}`).toBe(true);
      for (const use of [() => db.get('key1'), () => db.putSync('a', 1), () => snapshot.get('key1'), () => tx.get('key1'), () => db.keyspace('people').get('anna'), () => [...db.keys()], () => db.watch()]) {
        expect(use, `${where}, ${String(use)}`).toThrow(PoisonedError);
      }
      expect(db.stats().keys, where).toBeGreaterThanOrEqual(0);
      await db.close();
      expect(core.total(), `${where}: the core is left alone after a trap`).toEqual(calls);
      core.clear();
      const found = await foundOn(disk);
      expect([before, after], `${where}: what is found`).toContain(found);
      figures.traps++;
      if (found === before) figures.absent++;
      else figures.present++;
    }
    figures.operations++;
  });
}

afterAll(() => {
  expect(figures.operations).toBe(Object.keys(OPERATIONS).length);
  expect(figures.present).toBeGreaterThan(0);
  process.stdout.write(`traps: ${figures.traps} in ${figures.operations} operations; afterwards the commit was absent ${figures.absent} times, there ${figures.present} times\n`);
});

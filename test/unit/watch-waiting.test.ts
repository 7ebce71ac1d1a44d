/** Watches that wait, and watches that have waited too long: who waits is woken by whatever there is to look at, and who has lost commits is told, also where the place that he stands at is still there. */
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { DeviceError } from '../../src/device/device.js';
import { LaggedError, PoisonedError, VersionGoneError, open } from '../../src/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

/** Lets every microtask that is queued, and those that they queue, run. */
async function microtasks(): Promise<void> {
  for (let round = 0; round < 20; round++) await Promise.resolve();
}

/** What has become of a promise. */
function follow<T>(promise: Promise<T>): { outcome: T | Error | undefined } {
  const followed: { outcome: T | Error | undefined } = { outcome: undefined };
  promise.then((value) => (followed.outcome = value), (error: Error) => (followed.outcome = error));
  return followed;
}

test('a watch that waits is woken by a commit, a signal, the end of another watch, a close and a failure', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { durability: 'strict', flush: 'sync', flushInterval: 3_600_000 });
  const controller = new AbortController();
  const [one, other, signalled] = [db.watch('a'), db.watch(), db.watch('a', { signal: controller.signal })];
  const waiting = [one.next(), other.next(), signalled.next()].map(follow);
  await microtasks();
  expect(waiting.map(({ outcome }) => outcome)).toEqual([undefined, undefined, undefined]);
  controller.abort(new Error('enough'));
  await microtasks();
  expect(waiting.map(({ outcome }) => outcome)).toEqual([undefined, undefined, new Error('enough')]);
  db.putSync('b', 1);
  await microtasks();
  expect(waiting[0]!.outcome).toBe(undefined);
  expect(waiting[1]!.outcome).toMatchObject({ done: false, value: { version: 1 } });
  await db.put('a', 2);
  await microtasks();
  expect(waiting[0]!.outcome).toMatchObject({ done: false, value: { version: 2 } });
  const ended = follow(one.next());
  await microtasks();
  void one.return();
  await microtasks();
  expect(ended.outcome).toEqual({ done: true, value: undefined });
  const [failed] = [follow(db.watch('never').next())];
  await microtasks();
  disk.failures = [{ at: disk.operations, kind: 'io', isSticky: true }];
  expect(() => db.putSync('b', 3)).toThrow();
  await microtasks();
  expect(failed!.outcome).toBeInstanceOf(PoisonedError);
  expect((failed!.outcome as PoisonedError).cause).toMatchObject({ cause: expect.any(DeviceError) as unknown });
  await db.close();
  const closing = await open(':memory:');
  const last = follow(closing.watch().next());
  await microtasks();
  await closing.close();
  await microtasks();
  expect(last.outcome).toEqual({ done: true, value: undefined });
});

test('a watch in a segment that stays alive is told when what followed it was given up', async () => {
  const db = await open(':memory:', { segmentSize: 4096 });
  db.putSync('lives on', 1);
  const watcher = db.watch();
  for (let number = 0; number < 3000; number++) db.putSync('hot', new Uint8Array(200));
  const seen: number[] = [];
  for (let step = follow(watcher.next()); ; step = follow(watcher.next())) {
    await microtasks();
    if (step.outcome === undefined || step.outcome instanceof Error) {
      expect(step.outcome).toBeInstanceOf(LaggedError);
      break;
    }
    seen.push(step.outcome.value!.version);
  }
  expect(seen, 'before that, every commit in its order').toEqual(seen.map((_, index) => index + 2));
  expect(seen.length).toBeLessThan(3000);
  await db.close();
});

test('since reaches no further back than the log is whole, also where an older segment is still there', async () => {
  const inFile = openStore(new SimulatedDisk(), { durability: 'relaxed', flushInterval: 3_600_000, segmentSize: 4096 }, 1, true);
  for (const db of [inFile, await open(':memory:', { segmentSize: 4096 })]) {
    db.putSync('lives on', 1);
    for (let number = 0; number < 300; number++) {
      db.putSync('hot', new Uint8Array(200));
      if (number % 20 === 0) await db.flush();
    }
    const { version } = db.stats();
    for (const since of [0, 1, 2, 100]) expect(() => db.watch(undefined, { since }), `${db.name}, since ${since}`).toThrow(VersionGoneError);
    const watcher = db.watch(undefined, { since: version - 2 });
    expect([(await watcher.next()).value?.version, (await watcher.next()).value?.version]).toEqual([version - 1, version]);
    await db.close();
  }
});

test('a signal that outlives a watch and its store keeps nothing of them', async () => {
  const { signal } = new AbortController();
  for (const end of ['commit', 'return', 'close'] as const) {
    const db = await open(':memory:', { memory: { initial: 1 << 20 } });
    const [one, other] = [db.watch(undefined, { signal }), db.watch('a', { signal })];
    const waiting = [one.next(), other.next()];
    await microtasks();
    expect(getEventListeners(signal, 'abort').length).toBe(1);
    if (end === 'commit') db.putSync('a', 1);
    else if (end === 'return') await Promise.all([one.return(), other.return()]);
    else await db.close();
    await Promise.all(waiting);
    expect(getEventListeners(signal, 'abort').length, end).toBe(0);
    await db.close();
  }
});

/** Backups: what a copy holds, whatever is written meanwhile; what is left where one fails, is given up, or meets damage. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { MemoryDevice } from '../../src/device/memory.js';
import {
  ClosedError, CorruptionError, FullError, InvalidArgumentError, IoError, LockedError, NotFoundError, VersionGoneError, open, verify, type CopyProgress, type OpenOptions, type Store,
} from '../../src/index.js';
import { DeviceError } from '../../src/device/device.js';
import { FrameWriter } from '../../src/worker/frames.js';
import { Jobs } from '../../src/worker/jobs.js';
import type { RawStore } from '../../src/worker/raw.js';
import { Collector, contentsOf, copyToDevice, inspect } from '../support/copies.js';
import { collectGarbage } from '../support/garbage.js';
import { applySync, applyToModel, randomStep, type State } from '../support/model.js';
import { Random, seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-backup-'));
afterAll(() => rmSync(folder, { recursive: true }));
let number = 0;
const newPath = (): string => join(folder, `${number++}.varve`);
const OPTIONS = { durability: 'relaxed', segmentSize: 4096 } as const;
const NOW = 1_700_000_000_000;

function contents(db: Store): string[] {
  return contentsOf(db, db.keyspaces(), (name) => db.keyspace(name));
}

/** Opens the bytes of a copy, which are a file. */
function openCopy(bytes: Uint8Array, options: OpenOptions = {}, now = (): number => NOW): Store {
  return openStore(new MemoryDevice(bytes), { ...OPTIONS, ...options }, 7, true, now);
}

/** A store with something of everything. */
function makeStore(options: OpenOptions = {}, now = (): number => NOW, checks = true): Store {
  const db = openStore(new MemoryDevice(), { ...OPTIONS, ...options }, 1, checks, now);
  const random = new Random(5);
  for (let index = 0; index < 120; index++) db.putSync(`key${index}`, { index });
  for (let index = 0; index < 120; index += 3) db.putSync(`key${index}`, { index, again: true });
  for (let index = 0; index < 120; index += 10) db.deleteSync(`key${index}`);
  for (const value of ['text', 'ünïcode ☃', 'lone \ud800', 1.5, -0, NaN, 12n, true, null, new Date(5), new Set([1]), new Map([['a', [1]]]), new Float64Array([1, 2]), /x/g]) db.putSync(['values', random.next()], value);
  for (const key of [null, false, true, -1, 0.5, 10n ** 30n, 'a', new Uint8Array([0, 255]), ['a', [1, null], 'b']]) db.putSync(key, 'of a key');
  db.putSync('bytes', random.bytes(3000));
  db.putSync('large', random.bytes(50_000));
  db.putSync('zeros', new Uint8Array(20_000));
  db.putSync('of a turn', 1, { ttl: 60_000 });
  db.putSync('long gone', 1, { expiresAt: 5 });
  db.keyspace('people').putSync(['anna', 1], 'x');
  db.keyspace('people').putSync(['bert', 2], random.bytes(9000), { ttl: 60_000 });
  db.keyspace('dropped').putSync('a', 1);
  db.dropKeyspaceSync('dropped');
  return db;
}

test('a stream that takes nothing ahead gets its copy too', async () => {
  const db = makeStore();
  const chunks: Uint8Array[] = [];
  const report = await db.backup(new WritableStream<Uint8Array>({ write: (chunk) => void chunks.push(chunk) }, { highWaterMark: 0 }));
  expect(Buffer.concat(chunks)).toHaveLength(report.size);
  await db.close();
});

test('a copy in a stream is a store with the same keys, values, expiries and versions, whose versions go on', async () => {
  const db = makeStore();
  const stream = new Collector();
  const report = await db.backup(stream);
  expect(stream.ends).toEqual({ aborted: undefined, isClosed: true });
  const copy = openCopy(stream.bytes());
  expect(contents(copy)).toEqual(contents(db));
  expect(report).toEqual({ version: db.stats().version, keys: db.stats().keys - 1, bytes: report.bytes, size: stream.bytes().length, milliseconds: report.milliseconds });
  expect(copy.stats().version).toBe(report.version);
  expect(copy.stats().keys).toBe(report.keys);
  expect(copy.stats().tombstones).toBe(0);
  expect(copy.recovery.dropped).toBeUndefined();
  await copy.verify();
  expect(copy.putSync('next', 1)).toBeGreaterThan(report.version);
  await copy.close();
  const later = openCopy(stream.bytes(), {}, () => NOW + 60_000);
  expect([later.get('of a turn'), later.keyspace('people').get(['bert', 2]), later.get('key1')]).toEqual([undefined, undefined, { index: 1 }]);
  await later.close();
  await db.close();
});

test('a copy at a path is a clean file that appears whole, beside nothing', async () => {
  const path = newPath();
  const db = await open(path, OPTIONS);
  for (let index = 0; index < 500; index++) db.putSync(`key${index}`, { index });
  const target = newPath();
  const report = await db.backup(target);
  const found = await verify(target);
  expect([found.ok, found.keys, found.recovery.clean, found.recovery.rewritten]).toEqual([true, 500, true, 0]);
  expect(readFileSync(target).length).toBe(report.size);
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  const copy = await open(target);
  expect(contents(copy)).toEqual(contents(db));
  await copy.close();
  await db.close();
});

test('a copy shows the store as it is at the call, whatever comes before its first step', async () => {
  const path = newPath();
  const db = await open(path, OPTIONS);
  db.putSync('a', 'before');
  const [target, stream] = [newPath(), new Collector()];
  const copying = [db.backup(target), db.backup(stream)];
  db.putSync('a', 'behind');
  for (const report of await Promise.all(copying)) expect(report.version).toBe(1);
  const copy = await open(target);
  const streamed = openCopy(stream.bytes());
  expect([copy.get('a'), streamed.get('a')]).toEqual(['before', 'before']);
  await copy.close();
  await streamed.close();
  await db.close();
});

test('a copy has an identity of its own: segments of the store do not pass for its own', async () => {
  const db = makeStore();
  const [first, second] = [new Collector(), new Collector()];
  await db.backup(first);
  await db.backup(second);
  const idOf = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(4096 + format.SUPERBLOCK_STORE_ID_LOW, 4096 + format.SUPERBLOCK_STORE_ID_HIGH + 8)).toString('hex');
  expect(idOf(first.bytes())).not.toBe(idOf(second.bytes()));
  const mixed = new Uint8Array(first.bytes());
  const slot = format.SLOTS_OFFSET + 4096;
  mixed.set(second.bytes().subarray(slot, slot + 4096), slot);
  expect(() => openCopy(mixed)).toThrow(CorruptionError);
  await db.close();
});

test('a copy of an empty store, of one in memory, of one that is read-only, and of a copy', async () => {
  const empty = openStore(new MemoryDevice(), OPTIONS);
  const nothing = new Collector();
  expect(await empty.backup(nothing)).toMatchObject({ version: 0, keys: 0, bytes: 0 });
  await empty.close();
  const none = openCopy(nothing.bytes());
  expect([none.count(), none.stats().version, none.putSync('a', 1)]).toEqual([0, 0, 1]);
  await none.close();

  const memory = await open(':memory:');
  memory.putSync('a', 'in memory');
  const path = newPath();
  await memory.backup(path);
  await memory.close();
  const reader = await open(path, { readOnly: true });
  expect(reader.getEntry('a')).toEqual({ key: 'a', value: 'in memory', version: 1 });
  const again = newPath();
  await reader.backup(again);
  await reader.close();
  const last = await open(again);
  expect(last.getEntry('a')).toEqual({ key: 'a', value: 'in memory', version: 1 });
  await last.close();
});

test('writers go on while a copy is made, and it shows the store as of its version', async () => {
  const base = seedOf(4000);
  for (let seed = base; seed < base + 3; seed++) {
    const random = new Random(seed);
    const shape = { keyCount: 120, valueSizeMax: 6000, batchSizeMax: 10 };
    const db = openStore(new MemoryDevice(), { ...OPTIONS, ...(random.chance(0.5) ? { history: { versions: 3 } } : {}) }, seed, true);
    let state: State = new Map();
    const write = (count: number): void => {
      for (; count > 0; count--) {
        const step = randomStep(random, shape);
        state = applyToModel(state, step, applySync(db, state, step));
      }
    };
    write(400);
    const snapshot = db.snapshot();
    const expected = contentsOf(snapshot, [], () => snapshot);
    const before = state;
    const stream = new Collector(() => write(15));
    const report = await db.backup(stream, { history: random.chance(0.5) });
    expect(report.version, `seed ${seed}`).toBe(snapshot.version);
    expect(db.stats().version, `seed ${seed}: writers went on`).toBeGreaterThan(report.version + 50);
    const copy = openCopy(stream.bytes());
    expect(contents(copy), `seed ${seed}`).toEqual(expected);
    expect(copy.count(), `seed ${seed}`).toBe(before.size);
    expect(copy.stats().version, `seed ${seed}`).toBe(report.version);
    await copy.verify();
    await copy.close();
    snapshot.close();
    await db.verify();
    await db.close();
  }
});

test('a value of many segments is copied while it is overwritten, in steps', async () => {
  const random = new Random(9);
  const db = openStore(new MemoryDevice(), OPTIONS);
  const large = random.bytes(1_200_000);
  db.putSync('a', 1);
  const version = db.putSync('large', large, { ttl: 60_000 });
  db.putSync('b', 2);
  let count = 0;
  const stream = new Collector(() => void (count++ % 50 === 0 && db.putSync('large', `over it ${count}`)));
  await db.backup(stream);
  const copy = openCopy(stream.bytes());
  expect(copy.getEntry('large')!.version).toBe(version);
  expect(copy.get('large')).toEqual(large);
  expect([copy.get('a'), copy.get('b')]).toEqual([1, 2]);
  await copy.verify();
  await copy.close();
  await db.close();
});

test('records of every size up to the largest that a segment takes, and their neighbours, are copied', async () => {
  for (const segmentSize of [4096, 8192]) {
    const db = openStore(new MemoryDevice(), { ...OPTIONS, segmentSize }, 1, true);
    for (let size = segmentSize - 700; size < segmentSize + 8; size += 4) db.putSync(size, new Uint8Array(size).fill(size));
    db.putSync('k'.repeat(2000), 'a long key');
    const stream = new Collector();
    await db.backup(stream);
    const copy = openCopy(stream.bytes());
    expect(contents(copy)).toEqual(contents(db));
    await copy.verify();
    await copy.close();
    await db.close();
  }
});

test('with history a copy has the versions that the store keeps, each with its time, and what all of it shows can be seen again', async () => {
  let clock = NOW;
  const now = (): number => clock;
  for (const history of ['all', { versions: 3 }] as const) {
    clock = NOW;
    const db = openStore(new MemoryDevice(), { ...OPTIONS, history, durability: 'strict', flush: 'sync' }, 1, true, now);
    const shown = new Map<number, string[]>();
    for (let round = 0; round < 6; round++) {
      for (let index = 0; index < 15; index++) db.putSync(`key${index}`, { round, bytes: new Uint8Array(round * 400) });
      db.deleteSync(`key${round}`);
      clock += 1234;
      shown.set(db.stats().version, contents(db));
    }
    const stream = new Collector();
    await db.backup(stream, { history: true });
    const copy = openCopy(stream.bytes(), { history }, now);
    for (let index = 0; index < 15; index++) expect(inspect([...copy.history(`key${index}`)]) === inspect([...db.history(`key${index}`)]), `key${index}`).toBe(true);
    for (const [version, lines] of shown) {
      if (history === 'all') {
        using view = copy.at(version);
        expect(contentsOf(view, [], () => view)).toEqual(lines);
      } else if (version < copy.stats().version) expect(() => copy.at(version)).toThrow(VersionGoneError);
    }
    await copy.verify();
    await copy.close();

    const plain = new Collector();
    await db.backup(plain);
    const newest = openCopy(plain.bytes(), { history: 'all' }, now);
    expect([...newest.history('key14')].map(({ version }) => version)).toEqual([db.getEntry('key14')!.version]);
    expect([...newest.history('key5')].length).toBe(0);
    expect(() => newest.at(1), 'what a copy has left out is not taken for what was').toThrow(VersionGoneError);
    await newest.close();
    await db.close();
  }
});

test('a copy without history has commit times that are right to a second', async () => {
  let clock = NOW;
  const db = makeStore({}, () => clock);
  const times = new Map<string, number>();
  for (let index = 0; index < 200; index++) {
    clock += 130;
    times.set(`late${index}`, clock);
    db.putSync(`late${index}`, 1);
    await db.flush();
  }
  const stream = new Collector();
  await db.backup(stream);
  const copy = openCopy(stream.bytes(), {}, () => clock);
  for (const [key, time] of times) expect(Math.abs([...copy.history(key)][0]!.time - time), key).toBeLessThanOrEqual(1000);
  await copy.close();
  await db.close();
});

test('a watch of a copy begins with what is written to the copy: it has not every commit before', async () => {
  const db = makeStore();
  const stream = new Collector();
  const { version } = await db.backup(stream);
  const copy = openCopy(stream.bytes());
  for (const since of [0, 1, version - 1]) expect(() => copy.watch({}, { since })).toThrow(VersionGoneError);
  const watch = copy.watch({}, { since: version });
  const next = copy.putSync('new', 1);
  expect((await watch.next()).value?.version).toBe(next);
  await watch.return();
  await copy.close();
  await db.close();
});

test('a stream that was cut off is no store, wherever it was cut', async () => {
  const db = openStore(new MemoryDevice(), OPTIONS, 1);
  for (let index = 0; index < 120; index++) db.putSync(`key${index}`, { index });
  const stream = new Collector();
  await db.backup(stream);
  const whole = stream.bytes();
  for (let length = 1; length < whole.length; length += 331) expect(() => openCopy(whole.subarray(0, length)), `${length} of ${whole.length} bytes`).toThrow(/damaged|not a varve store|is empty|checksum/);
  for (let end = format.SLOTS_OFFSET + 4096; end < whole.length; end += 4096) expect(() => openCopy(whole.subarray(0, end)), `${end} bytes`).toThrow(CorruptionError);
  await db.close();
});

test('bits that flip in a copy are noticed', async () => {
  const db = makeStore();
  const device = new MemoryDevice();
  await copyToDevice(db, device);
  const whole = device.bytes();
  const expected = contents(db);
  const random = new Random(seedOf(77));
  for (let count = 0; count < 300; count++) {
    const bytes = new Uint8Array(whole);
    const at = random.below(bytes.length);
    bytes[at]! ^= 1 << random.below(8);
    try {
      const copy = openCopy(bytes);
      expect(contents(copy), `bit at ${at}`).toEqual(expected);
      await copy.close();
    } catch (error) {
      expect(error, `bit at ${at}`).toBeInstanceOf(CorruptionError);
    }
  }
  await db.close();
});

test('sectors and segments of a copy that come back as zeros are damage, and no torn tail: also the last', async () => {
  const db = makeStore();
  const device = new MemoryDevice();
  await copyToDevice(db, device);
  const stream = new Collector();
  await db.backup(stream);
  const last = stream.bytes().length - 2 * 4096;
  for (const whole of [device.bytes(), stream.bytes()]) {
    for (let sector = last; sector < last + 4096; sector += 512) {
      const bytes = new Uint8Array(whole);
      if (bytes.subarray(sector, sector + 512).every((byte) => byte === 0)) continue;
      bytes.fill(0, sector, sector + 512);
      expect(() => openCopy(bytes), `sector at ${sector}`).toThrow(CorruptionError);
    }
  }
  for (const whole of [device.bytes(), stream.bytes()]) for (let slot = format.SLOTS_OFFSET; slot < whole.length - 4096; slot += 4096) {
    const bytes = new Uint8Array(whole);
    bytes.fill(0, slot, slot + 4096);
    expect(() => openCopy(bytes), `slot at ${slot}`).toThrow(CorruptionError);
  }
  await db.close();
});

test('damage in memory is met, named, and not copied', async () => {
  const db = makeStore({}, undefined, false);
  const { engine } = (db as unknown as { kernel: { engine: { bytes: Uint8Array } } }).kernel;
  const text = new TextEncoder().encode('ünïcode');
  const at = Buffer.from(engine.bytes.buffer).indexOf(text);
  engine.bytes[at]! ^= 1;
  const stream = new Collector();
  await expect(db.backup(stream)).rejects.toThrow(CorruptionError);
  expect(stream.ends.aborted).toBeInstanceOf(CorruptionError);
  await expect(db.backup(newPath())).rejects.toThrow(/checksum/);
  expect(db.get('key1')).toEqual({ index: 1 });
  await db.close();
});

test('every call of the device that fails ends the copy with its error, and the store goes on', async () => {
  const db = makeStore();
  const kept = contents(db);
  for (const kind of ['io', 'full'] as const) {
    for (let at = 0, hasFailed = true; hasFailed; at++) {
      const disk = new SimulatedDisk();
      disk.failures = [{ at, kind }];
      const outcome = await copyToDevice(db, disk).then(() => undefined, (error: unknown) => error);
      hasFailed = outcome !== undefined;
      if (hasFailed) expect(outcome, `call ${at}`).toBeInstanceOf(DeviceError);
      else expect(at).toBeGreaterThan(40);
    }
  }
  const short = new SimulatedDisk();
  short.failures = [{ at: 0, kind: 'io', operation: 'read', given: 100 }];
  await expect(copyToDevice(db, short)).rejects.toThrow(IoError);
  expect(db.stats().snapshots.open).toBe(0);
  expect(contents(db)).toEqual(kept);
  await db.verify();
  await db.close();
});

test('a disk that gives back something else than was written is noticed before the copy has its name', async () => {
  const db = makeStore();
  for (const offset of [10, 4100, format.SLOTS_OFFSET + 10, format.SLOTS_OFFSET + 4096 + 900]) {
    const device = new MemoryDevice();
    const read = device.read.bind(device);
    device.read = (target, from) => {
      const size = read(target, from);
      if (offset >= from && offset < from + size) target[offset - from]! ^= 4;
      return size;
    };
    await expect(copyToDevice(db, device), `byte ${offset}`).rejects.toThrow('is not what comes back');
  }
  await db.close();
});

test('a copy that is given up leaves nothing behind', async () => {
  const path = newPath();
  const db = await open(path, OPTIONS);
  for (let index = 0; index < 2000; index++) db.putSync(`key${index}`, { index });
  const files = readdirSync(folder);
  const reason = new Error('changed my mind');
  for (const after of [0, 1, 5, 20]) {
    const controller = new AbortController();
    let count = 0;
    if (after === 0) controller.abort(reason);
    const target = newPath();
    const onProgress = (): void => void (++count === after && controller.abort(reason));
    await expect(db.backup(target, { signal: controller.signal, onProgress })).rejects.toBe(reason);
    const streamed = new Collector();
    count = 0;
    const again = new AbortController();
    if (after === 0) again.abort(reason);
    await expect(db.backup(streamed, { signal: again.signal, onProgress: () => void (++count === after && again.abort(reason)) })).rejects.toBe(reason);
    if (after !== 0) expect(streamed.ends).toEqual({ aborted: reason, isClosed: false });
    expect(streamed.locked).toBe(false);
  }
  const failing = new Error('of the listener');
  await expect(db.backup(newPath(), { onProgress: () => { throw failing; } })).rejects.toBe(failing);
  expect(readdirSync(folder)).toEqual(files);
  expect(db.stats().snapshots.open).toBe(0);
  await db.backup(newPath());
  await db.close();
});

test('a stream that wants nothing holds the copy, which a signal ends all the same', async () => {
  const db = makeStore();
  const controller = new AbortController();
  const stuck = new Collector((count) => (count === 3 ? new Promise(() => undefined) : undefined));
  const copying = db.backup(stuck, { signal: controller.signal });
  for (let turn = 0; turn < 20 || stuck.chunks.length < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(stuck.chunks.length).toBe(3);
  controller.abort();
  await expect(copying).rejects.toThrow('aborted');
  const failing = new Collector((count) => { if (count === 4) throw new RangeError('of the stream'); });
  await expect(db.backup(failing)).rejects.toThrow('of the stream');
  expect(db.stats().snapshots.open).toBe(0);
  await db.close();
});

test('closing the store ends its copies', async () => {
  const path = newPath();
  const db = await open(path, OPTIONS);
  for (let index = 0; index < 2000; index++) db.putSync(`key${index}`, { index });
  const files = readdirSync(folder);
  let closing: Promise<void> | undefined;
  await expect(db.backup(newPath(), { onProgress: () => void (closing ??= db.close()) })).rejects.toThrow(ClosedError);
  await closing;
  expect(readdirSync(folder)).toEqual(files.filter((name) => !name.endsWith('.lock')));
  await expect(db.backup(newPath())).rejects.toThrow(ClosedError);
});

test('progress rises to its end, and tells the bytes of the copy', async () => {
  const db = makeStore();
  const steps: CopyProgress[] = [];
  const report = await db.backup(new Collector(), { onProgress: (progress) => void steps.push(progress) });
  expect(steps.length).toBeGreaterThan(20);
  for (const [index, { done, total, bytes }] of steps.entries()) {
    expect(done).toBeGreaterThanOrEqual(steps[index - 1]?.done ?? 0);
    expect(total).toBe(steps[0]!.total);
    expect(bytes).toBe(format.SLOTS_OFFSET + (index + 1) * 4096);
  }
  expect(steps.at(-1)).toEqual({ done: steps[0]!.total, total: steps[0]!.total, bytes: report.size - 4096 });
  await db.close();
});

test('what has the name already stays, unless it may be replaced; a store that is open is never replaced', async () => {
  const [path, other, text] = [newPath(), newPath(), newPath()];
  const db = await open(path, OPTIONS);
  db.putSync('a', 'of the store');
  const theirs = await open(other, OPTIONS);
  theirs.putSync('b', 'of another');
  await expect(db.backup(other)).rejects.toThrow(InvalidArgumentError);
  await expect(db.backup(other, { overwrite: true })).rejects.toThrow(LockedError);
  await expect(db.backup(path, { overwrite: true })).rejects.toThrow(LockedError);
  await theirs.close();
  await expect(db.backup(other)).rejects.toThrow(/overwrite/);
  writeFileSync(text, 'no store');
  await expect(db.backup(text)).rejects.toThrow(InvalidArgumentError);
  expect(readFileSync(text, 'utf8')).toBe('no store');
  const link = newPath();
  symlinkSync(other, link);
  await db.backup(link, { overwrite: true });
  const copy = await open(other);
  expect([copy.get('a'), copy.get('b')]).toEqual(['of the store', undefined]);
  await copy.close();
  const directory = newPath();
  mkdirSync(directory);
  await expect(db.backup(directory, { overwrite: true })).rejects.toThrow(InvalidArgumentError);
  await expect(db.backup(join(folder, 'nowhere', 'x'))).rejects.toThrow(NotFoundError);
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  await db.close();
});

test('a name that somebody takes while the copy is made stays theirs', async () => {
  const db = makeStore();
  const target = newPath();
  await expect(db.backup(target, { onProgress: () => existsSync(target) || writeFileSync(target, 'theirs') })).rejects.toThrow(InvalidArgumentError);
  expect(readFileSync(target, 'utf8')).toBe('theirs');
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  await db.close();
});

test('bad arguments are refused before anything is made', async () => {
  const db = makeStore();
  const bad = [[1], [''], [':memory:'], [{}], [newPath(), { history: 1 }], [newPath(), { overwrite: 'yes' }], [newPath(), { onProgress: 1 }], [newPath(), { other: 1 }], [new Collector(), { overwrite: true }], [newPath(), null]];
  for (const parameters of bad) await expect((db.backup as (...all: unknown[]) => Promise<unknown>).apply(db, parameters)).rejects.toThrow(InvalidArgumentError);
  await db.close();
});

test('a hundred thousand records are copied in memory that does not grow with them', async () => {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  for (let index = 0; index < 100_000; index++) db.putSync(`key${index}`, 'value of some length, so that there is something to copy');
  const before = db.stats().memory;
  let size = 0;
  let most = 0;
  const counting = new WritableStream<Uint8Array>({
    write: (chunk) => {
      size += chunk.length;
      most = Math.max(most, db.stats().memory.bytes - before.bytes);
    },
  });
  const report = await db.backup(counting);
  expect([report.keys, report.size]).toEqual([100_000, size]);
  expect(size).toBeGreaterThan(9_000_000);
  expect(most, 'a segment, and little else').toBeLessThan(1 << 20);
  expect(db.stats().memory.orderBytes, 'nothing is sorted').toBe(0);
  await db.close();
});

test('a copy for a page keeps no part that the page has taken', async () => {
  const parts: WeakRef<Uint8Array>[] = [];
  const report = { version: 1, keys: 10 };
  const jobs = new Jobs({
    backup: async (target: WritableStream<Uint8Array>) => {
      const writer = target.getWriter();
      for (let part = 0; part < 10; part++) {
        const bytes = new Uint8Array(1000).fill(part);
        parts.push(new WeakRef(bytes));
        await writer.write(bytes);
      }
      await writer.close();
      return report;
    },
  } as unknown as RawStore);
  jobs.beginBackup(1, false);
  for (let part = 0; part < 10; part++) {
    const answer = new FrameWriter();
    (await jobs.nextPart(1))(answer);
    expect([answer.bytes[28], answer.bytes[33]]).toEqual([1, part]);
  }
  await new Promise((resolve) => setTimeout(resolve, 0));
  collectGarbage();
  // The last one waits to be given up.
  expect(parts.map((part) => part.deref() !== undefined)).toEqual([...Array.from({ length: 9 }, () => false), true]);
  for (let time = 0; time < 2; time++) {
    const end = new FrameWriter();
    (await jobs.nextPart(1))(end);
    expect(Buffer.from(end.bytes.subarray(33, end.size)).toString()).toBe(JSON.stringify(report));
  }
});

test('a store without memory for a copy says so, and goes on', async () => {
  const db = openStore(new MemoryDevice(), { ...OPTIONS, segmentSize: 1 << 20, memory: { initial: 1 << 20, limit: 12 << 20 } }, 1);
  const fill = (): void => {
    for (let index = 0; ; index++) db.putSync(index, new Uint8Array(100_000));
  };
  expect(fill).toThrow(FullError);
  const outcome = await db.backup(new Collector()).then(() => undefined, (error: unknown) => error);
  if (outcome !== undefined) expect(outcome).toBeInstanceOf(FullError);
  expect(db.stats().snapshots.open).toBe(0);
  expect(db.get(0)).toEqual(new Uint8Array(100_000));
  db.deleteSync(0);
  await db.verify();
  await db.close();
});

test('a writer that is faster than the steps of a copy does not hold it up for ever', async () => {
  const db = makeStore({ segmentSize: 4096 }, undefined, false);
  for (let index = 0; index < 3000; index++) db.putSync(`key${index}`, index);
  let turns = 0;
  let isCopying = true;
  const writing = (async () => {
    for (; isCopying; turns++) {
      // More frames a turn than one step goes over.
      for (let index = 0; index < 200; index++) db.putSync(`more${index}`, turns);
      db.handOverAtExit();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const stream = new Collector();
  const { version } = await db.backup(stream);
  isCopying = false;
  await writing;
  expect(db.stats().version).toBeGreaterThan(version + 1000);
  const copy = openCopy(stream.bytes());
  expect(copy.get('key2999')).toBe(2999);
  expect(copy.get('more0'), 'as of the first turn').toBe(0);
  await copy.close();
  await db.close();
});

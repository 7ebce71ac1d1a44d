/** Every error that the library throws on purpose, provoked by real use: its class and code, what its message says, and that nothing was changed. */
import { linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import * as varve from '../../src/index.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const { open } = varve;
const folder = mkdtempSync(join(tmpdir(), 'varve-errors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let fileCount = 0;
const newPath = (): string => join(folder, `${fileCount++}.varve`);
const small = { memory: { initial: 1 << 20 } } as const;
const SECRET_KEY = 'secret-key';
const SECRET_VALUE = 'secret-value';

const provoked = new Set<string>();

/** What an action throws, whether at once or as a rejection; checked for what all errors have in common. */
async function thrownBy(action: () => unknown): Promise<varve.VarveError> {
  let error: unknown;
  try {
    await action();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(varve.VarveError);
  const { name, code, message, constructor } = error as varve.VarveError;
  expect(constructor.name).toBe(name);
  expect(code).toMatch(/^VARVE_[A-Z_]+$/);
  expect(message.length).toBeGreaterThan(30);
  expect(message).not.toContain(SECRET_KEY);
  expect(message).not.toContain(SECRET_VALUE);
  provoked.add(name);
  return error as varve.VarveError;
}

async function expectCode(code: string, action: () => unknown): Promise<varve.VarveError> {
  const error = await thrownBy(action);
  expect(error.code).toBe(code);
  return error;
}

/** A closed store in a file with one key. */
async function makeFile(): Promise<string> {
  const path = newPath();
  const db = await open(path, small);
  await db.put(SECRET_KEY, SECRET_VALUE);
  await db.close();
  return path;
}

test('InvalidArgumentError: bad keys, values, versions, operations and options, in both forms, with nothing changed', async () => {
  const db = await open(':memory:', small);
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);
  const keys: unknown[] = [undefined, Number.NaN, {}, () => 1, Symbol('key'), new Date(), [Number.NaN], [undefined], cyclic];
  for (const bad of keys) {
    const key = bad as varve.Key;
    for (const call of [() => db.get(key), () => db.getEntry(key), () => db.has(key), () => db.getMany([key]), () => db.getInto(key, new Uint8Array(1)), () => db.putSync(key, 1), () => db.deleteSync(key),
      () => db.casSync(key, 0, 1), () => db.batchSync([{ type: 'put', key: 'a', value: 1 }, { type: 'put', key, value: 1 }]), () => db.batchSync([{ type: 'delete', key }])]) {
      expect(call).toThrow(varve.InvalidArgumentError);
    }
    // The promise forms reject and never throw.
    for (const promise of [db.put(key, 1), db.delete(key), db.cas(key, 0, 1), db.batch([{ type: 'put', key, value: 1 }])]) await expectCode('VARVE_INVALID_ARGUMENT', () => promise);
  }
  const values: unknown[] = [undefined, () => 1, Symbol('value'), { deep: [() => 1] }, new (class Thing {})(), new WeakMap(), Promise.resolve(1)];
  for (const value of values) {
    await expectCode('VARVE_INVALID_ARGUMENT', () => db.putSync(SECRET_KEY, value));
    const promise = db.put(SECRET_KEY, value);
    await expectCode('VARVE_INVALID_ARGUMENT', () => promise);
    if (value !== undefined) await expectCode('VARVE_INVALID_ARGUMENT', () => db.casSync(SECRET_KEY, 0, value));
    await expectCode('VARVE_INVALID_ARGUMENT', () => db.batchSync([{ type: 'put', key: SECRET_KEY, value }]));
  }
  let nested: unknown = 1;
  for (let depth = 0; depth < 1000; depth++) nested = [nested];
  await expectCode('VARVE_INVALID_ARGUMENT', () => db.putSync(SECRET_KEY, nested));
  await expectCode('VARVE_INVALID_ARGUMENT', () => db.putSync(SECRET_KEY, cyclic));
  for (const version of [-1, 0.5, Number.NaN, 2 ** 48, '0', undefined, null]) {
    await expectCode('VARVE_INVALID_ARGUMENT', () => db.casSync('a', version as number, 1));
    const promise = db.cas('a', version as number, 1);
    await expectCode('VARVE_INVALID_ARGUMENT', () => promise);
  }
  for (const operations of [undefined, 1, 'text', {}, [undefined], [{}], [{ type: 'move', key: 'a' }], [{ type: 'put', key: 'a' }]]) {
    await expectCode('VARVE_INVALID_ARGUMENT', () => db.batchSync(operations as never));
    const promise = db.batch(operations as never);
    await expectCode('VARVE_INVALID_ARGUMENT', () => promise);
  }
  await expectCode('VARVE_INVALID_ARGUMENT', () => db.getMany('ab' as never));
  await expectCode('VARVE_INVALID_ARGUMENT', () => db.getInto('a', [] as never));
  await expectCode('VARVE_INVALID_ARGUMENT', () => db.at(0.5));
  await expectCode('VARVE_INVALID_ARGUMENT', () => db.at(99));
  const bad: unknown[] = [{ durability: 'none' }, { flush: 1 }, { flushInterval: 0 }, { create: 'yes' }, { segmentSize: 5000 }, { segmentSize: 1 << 25 }, { memory: { limit: 1 } }, { values: 'xml' }, { buffers: 'new' }, { durabilty: 'strict' }, null, 5];
  for (const options of bad) await expectCode('VARVE_INVALID_ARGUMENT', () => open(newPath(), options as varve.OpenOptions));
  for (const name of ['durability', 'flushInterval', 'flush', 'create', 'readOnly', 'salvage', 'segmentSize', 'memory', 'history', 'compaction', 'values', 'buffers', 'module', 'onWarning']) {
    for (const value of [null, 0, Symbol('none')]) await expectCode('VARVE_INVALID_ARGUMENT', () => open(newPath(), { [name]: value } as varve.OpenOptions));
    await (await open(':memory:', { ...small, [name]: undefined })).close();
  }
  for (const memory of [null, 5, 'all', true]) {
    await expectCode('VARVE_INVALID_ARGUMENT', () => open(':memory:', { memory } as never));
    await expectCode('VARVE_INVALID_ARGUMENT', () => varve.verify(newPath(), { memory } as never));
    await expectCode('VARVE_INVALID_ARGUMENT', () => varve.salvage(newPath(), newPath(), { memory } as never));
    await expectCode('VARVE_INVALID_ARGUMENT', () => varve.restore(newPath(), newPath(), { memory } as never));
  }
  for (const options of [null, 5, 'all']) {
    await expectCode('VARVE_INVALID_ARGUMENT', () => varve.verify(newPath(), options as never));
    await expectCode('VARVE_INVALID_ARGUMENT', () => varve.salvage(newPath(), newPath(), options as never));
    await expectCode('VARVE_INVALID_ARGUMENT', () => db.begin(options as never));
    await expectCode('VARVE_INVALID_ARGUMENT', () => db.transactSync(() => 1, options as never));
    await expectCode('VARVE_INVALID_ARGUMENT', () => db.transact(() => 1, options as never));
  }
  await expectCode('VARVE_INVALID_ARGUMENT', () => db.begin({ isolation: null } as never));
  for (const name of ['keys', 'values', 'schema']) await expectCode('VARVE_INVALID_ARGUMENT', () => db.keyspace('a', { [name]: null }));
  for (const path of [undefined, '', 5, 'nul\0byte']) await expectCode('VARVE_INVALID_ARGUMENT', () => open(path as string));
  const directory = join(folder, 'directory');
  mkdirSync(directory);
  await expectCode('VARVE_INVALID_ARGUMENT', () => open(directory));
  expect([db.stats().keys, db.stats().version]).toEqual([0, 0]);
  await db.verify();
  await db.close();
});

test('TooLargeError: keys and values beyond the limits', async () => {
  const db = await open(':memory:', small);
  await expectCode('VARVE_TOO_LARGE', () => db.putSync(SECRET_KEY.repeat(20_000), 1));
  await expectCode('VARVE_TOO_LARGE', () => db.get(SECRET_KEY.repeat(20_000)));
  await expectCode('VARVE_TOO_LARGE', () => db.putSync('a', new Uint8Array(2 ** 28 + 1)));
  await expectCode('VARVE_TOO_LARGE', () => db.batchSync([{ type: 'put', key: 'a', value: new Uint8Array(2 ** 28 + 1) }]));
  await expectCode('VARVE_TOO_LARGE', () => db.begin().put('a', new Uint8Array(2 ** 28 + 1)));
  expect(db.stats().keys).toBe(0);
  await db.close();
});

test('FullError: memory at its limit loses nothing, still deletes, and takes writes again', async () => {
  const db = await open(':memory:', { memory: { initial: 1 << 20, limit: 4 << 20 } });
  const value = new Uint8Array(1000);
  let count = 0;
  const error = await expectCode('VARVE_FULL', () => {
    for (;;) db.putSync(count++, value);
  });
  expect(error).toBeInstanceOf(varve.FullError);
  count--;
  for (const call of [() => db.batchSync(Array.from({ length: 5000 }, (_, key) => ({ type: 'put' as const, key: ['batch', key], value }))), () => db.putSync('large', new Uint8Array(3_000_000))]) await expectCode('VARVE_FULL', call);
  for (let key = 0; key < count; key++) expect(db.get(key)).toEqual(value);
  expect(db.stats().keys).toBe(count);
  await db.verify();
  for (let key = 0; key < count; key++) expect(db.deleteSync(key)).toBeGreaterThan(0);
  for (let key = 0; key < count / 2; key++) db.putSync(['again', key], value);
  await db.verify();
  await db.close();
});

test('FullError: a full disk loses nothing, still deletes, and takes writes again once there is room', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 4096, durability: 'strict' });
  disk.capacity = 200_000;
  const value = new Uint8Array(500).fill(1);
  const versions: number[] = [];
  await expectCode('VARVE_FULL', () => {
    for (;;) versions.push(db.putSync(versions.length, value));
  });
  const promise = db.put('one more', value);
  await expectCode('VARVE_FULL', () => promise);
  versions.forEach((version, key) => expect(db.getEntry(key)?.version).toBe(version));
  // Room on the disk is enough.
  disk.capacity = 220_000;
  db.putSync('after there was room', value);
  await expectCode('VARVE_FULL', () => {
    for (let key = 0; ; key++) db.putSync(['filler', key], value);
  });
  versions.forEach((_, key) => expect(db.deleteSync(key)).toBeGreaterThan(0));
  for (let key = 0; key < 50; key++) db.putSync(['again', key], value);
  await db.verify();
  await db.close();
  const again = openStore(new SimulatedDisk(disk.processImage()), {});
  expect(again.get(['again', 49])).toEqual(value);
  expect(again.has(0)).toBe(false);
});

test('FullError: a file that does not fit into memory is left alone by salvage, which needs all of it there; opening it needs no more than its index', async () => {
  const path = newPath();
  const db = await open(path, { ...small, durability: 'relaxed' });
  for (let key = 0; key < 40; key++) db.putSync(key, new Uint8Array(100_000));
  await db.close();
  const bytes = readFileSync(path);
  const error = await expectCode('VARVE_FULL', () => open(path, { salvage: true, memory: { initial: 1 << 20, limit: 2 << 20 } }));
  expect(error.message).toContain(String(bytes.length));
  expect(error.message).toContain(String(2 << 20));
  expect(readFileSync(path).equals(bytes)).toBe(true);
  const bounded = await open(path, { ...small, memory: { initial: 1 << 20, limit: 2 << 20 } });
  for (let key = 0; key < 40; key++) expect((bounded.get(key) as Uint8Array).length).toBe(100_000);
  expect(bounded.stats().memory.bytes).toBeLessThanOrEqual(2 << 20);
  await bounded.close();
});

test('NotFoundError: what must exist and does not', async () => {
  for (const options of [{ create: false }, { readOnly: true }, { salvage: true }]) await expectCode('VARVE_NOT_FOUND', () => open(newPath(), options));
  await expectCode('VARVE_NOT_FOUND', () => open(join(folder, 'no', 'such', 'folder')));
});

test('FormatError: files that are not ours, or newer than we are, are left alone (F-75)', async () => {
  const path = newPath();
  for (const content of ['a text', 'x'.repeat(100_000), '\0'.repeat(9000) + 'x'.repeat(9000)]) {
    writeFileSync(path, content);
    for (const options of [{}, { readOnly: true }]) await expectCode('VARVE_FORMAT', () => open(path, options));
    expect(readFileSync(path, 'utf8')).toBe(content);
  }
  const newer = await makeFile();
  const bytes = readFileSync(newer);
  const { MAGIC } = { MAGIC: bytes.subarray(0, 8) };
  expect(MAGIC.toString('latin1').startsWith('varve')).toBe(true);
  const { xxh64, mix } = await import('../support/xxh64.js');
  for (const superblock of [0, 1]) {
    for (const copy of [0, 2048]) {
      const record = bytes.subarray(superblock * 4096 + copy, superblock * 4096 + copy + 128);
      record.writeUInt32LE(7, 8);
      record.writeBigUInt64LE(xxh64(record.subarray(0, 120), mix(0x53555045n, BigInt(superblock))), 120);
    }
  }
  writeFileSync(newer, bytes);
  const error = (await expectCode('VARVE_FORMAT', () => open(newer))) as varve.FormatError;
  expect([error.found, error.supported]).toEqual([7, 1]);
  expect(readFileSync(newer).equals(bytes)).toBe(true);
});

test('CorruptionError: names segment and offset, and leaves the file alone', async () => {
  const path = await makeFile();
  const bytes = readFileSync(path);
  const at = bytes.indexOf(SECRET_VALUE);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
  const error = (await expectCode('VARVE_CORRUPTION', () => open(path, small))) as varve.CorruptionError;
  expect(error.segment).toBe(1);
  expect(error.offset).toBeGreaterThanOrEqual(8192);
  expect(error.offset).toBeLessThan(at);
  expect(readFileSync(path).equals(bytes)).toBe(true);
  const salvaged = await open(path, { ...small, salvage: true });
  expect(salvaged.recovery.lost.length).toBeGreaterThan(0);
  expect(salvaged.has(SECRET_KEY)).toBe(false);
  await salvaged.close();
});

test('LockedError: the same file under any of its names', async () => {
  const path = newPath();
  const db = await open(path, small);
  symlinkSync(path, `${path}.symbolic`);
  linkSync(path, `${path}.hard`);
  for (const other of [path, `${path}.symbolic`, `${path}.hard`]) {
    const error = (await expectCode('VARVE_LOCKED', () => open(other, small))) as varve.LockedError;
    expect(error.pid).toBe(process.pid);
    await expectCode('VARVE_LOCKED', () => open(other, { ...small, readOnly: true }));
  }
  await db.put('still', 'mine');
  await db.close();
  await (await open(`${path}.hard`, small)).close();
});

test('ReadOnlyError, ClosedError, VersionGoneError', async () => {
  const path = await makeFile();
  const db = await open(path, { ...small, readOnly: true });
  await expectCode('VARVE_READ_ONLY', () => db.putSync('a', 1));
  await db.close();
  await expectCode('VARVE_CLOSED', () => db.get('a'));
  const other = await open(':memory:', small);
  other.putSync('a', 1);
  other.putSync('a', 2);
  await expectCode('VARVE_VERSION_GONE', () => other.at(1));
  await other.close();
});

test('ConflictError and CasError: a transaction that came second', async () => {
  const db = await open(':memory:', small);
  const tx = db.begin();
  tx.put(SECRET_KEY, tx.get(SECRET_KEY) ?? SECRET_VALUE);
  db.putSync(SECRET_KEY, 1);
  await expectCode('VARVE_CONFLICT', () => tx.commit());
  const late = db.begin();
  late.cas(SECRET_KEY, 0, SECRET_VALUE);
  const error = (await expectCode('VARVE_CAS', () => late.commit())) as varve.CasError;
  expect(error.version).toBe(1);
  expect(db.get(SECRET_KEY)).toBe(1);
  await db.close();
});

test('OutcomeUnknownError, then PoisonedError: a flush that failed', async () => {
  const warnings: string[] = [];
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 4096, onWarning: ({ code }) => warnings.push(code) });
  await db.put('kept', 1);
  disk.failures = [{ at: disk.operations, kind: 'io', operation: 'flush' }];
  const [one, two] = [db.put(SECRET_KEY, SECRET_VALUE), db.put('b', 2)];
  const unknown = await expectCode('VARVE_OUTCOME_UNKNOWN', () => one);
  await expectCode('VARVE_OUTCOME_UNKNOWN', () => two);
  expect(unknown.cause).toBeInstanceOf(varve.IoError);
  for (const call of [() => db.get('kept'), () => db.putSync('a', 1), () => db.snapshot(), () => db.begin()]) await expectCode('VARVE_POISONED', call);
  for (const call of [() => db.put('a', 1), () => db.flush(), () => db.verify()]) await expectCode('VARVE_POISONED', call);
  expect(db.stats().failed).toBe(true);
  expect(warnings).toEqual(['VARVE_POISONED']);
  const { operations } = disk;
  await db.close();
  expect(disk.operations, 'nothing is tried again').toBe(operations);
  await expectCode('VARVE_CLOSED', () => db.get('kept'));
});

test('OutcomeUnknownError: a write that hands over what waits itself, and fails at that', async () => {
  for (const durability of ['buffered', 'relaxed'] as const) {
    const disk = new SimulatedDisk();
    // No slot is made meanwhile, which would fail before anything is applied.
    const db = openStore(disk, { durability, segmentSize: 2 ** 24, flushInterval: 3_600_000, onWarning: () => undefined });
    await db.put('kept', 1);
    disk.failures = [{ at: disk.operations, kind: 'io', operation: 'write', isSticky: true }];
    let refusal: unknown;
    let applied = 0;
    while (refusal === undefined) {
      try {
        db.putSync(applied, new Uint8Array(30_000));
        applied++;
      } catch (error) {
        refusal = error;
      }
    }
    const unknown = await expectCode('VARVE_OUTCOME_UNKNOWN', () => { throw refusal; });
    expect(unknown.cause, durability).toBeInstanceOf(varve.IoError);
    expect(applied, durability).toBeGreaterThan(0);
    await expectCode('VARVE_POISONED', () => db.putSync('later', 1));
    await db.close();
  }
});

test('IoError: a device that does not read', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: 4096 });
  await db.put('a', 1);
  await db.close();
  const broken = new SimulatedDisk(disk.processImage());
  broken.failures = [{ at: 0, kind: 'io', operation: 'read', isSticky: true }];
  await expectCode('VARVE_IO', () => openStore(broken, {}));
});

test('PlatformError: a platform without files', async () => {
  const { process } = globalThis;
  try {
    Object.defineProperty(globalThis, 'process', { value: undefined, configurable: true, writable: true });
    await expectCode('VARVE_PLATFORM', () => open('a.varve'));
  } finally {
    Object.defineProperty(globalThis, 'process', { value: process, configurable: true, writable: true });
  }
});

test('SchemaError: a value that does not fit its keyspace', async () => {
  const db = await open(':memory:');
  const strict = db.keyspace('strict', { schema: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'never' }] }) } } });
  const error = (await expectCode('VARVE_SCHEMA', () => strict.put('a', 1))) as varve.SchemaError;
  expect(error.issues).toEqual([{ message: 'never' }]);
  await db.close();
});

test('TooLargeError: bounds of scans and watches that no key could reach', async () => {
  const db = await open(':memory:');
  db.putSync('a', 1);
  // Three bytes each: within what the length of a text allows, and not within what a key may take.
  const bound = '漢'.repeat(100_000);
  await expectCode('VARVE_TOO_LARGE', () => db.count({ gt: bound }));
  await expectCode('VARVE_TOO_LARGE', () => db.watch(bound));
  await expectCode('VARVE_TOO_LARGE', () => db.watch({ lt: bound }));
  await expectCode('VARVE_TOO_LARGE', () => db.transactSync((tx) => [...tx.keys({ prefix: bound })]));
  expect(db.stats().snapshots.open).toBe(0);
  await db.verify();
  await db.close();
});

test('LaggedError: a watch that was too slow', async () => {
  const db = openStore(new SimulatedDisk(), { durability: 'relaxed', segmentSize: 4096 });
  const watcher = db.watch();
  for (let number = 0; number < 3000; number++) db.putSync('hot', new Uint8Array(200));
  await db.flush();
  db.putSync('hot', 1);
  await expectCode('VARVE_LAGGED', async () => {
    for (;;) await watcher.next();
  });
  await db.close();
});

test('ImportError: a source that is malformed, with the line, and without a word of it', async () => {
  const db = await open(':memory:', small);
  const lines = ['{"key":"a","value":1}\n', `{"key":"${SECRET_KEY}","value":"${SECRET_VALUE}`];
  const error = await expectCode('VARVE_IMPORT', () => db.import((async function* () { yield* lines; })()));
  expect(error).toMatchObject({ line: 2, offset: undefined, read: 0, written: 0 });
  expect(error.message).toContain('Line 2');
  expect(db.count()).toBe(0);
  await db.close();
});

test('no class was left out', () => {
  const classes = Object.entries(varve).filter(([, value]) => typeof value === 'function' && value.prototype instanceof varve.VarveError).map(([name]) => name);
  expect(classes.length).toBeGreaterThan(12);
  expect([...provoked].sort()).toEqual(classes.sort());
});

test('what is no options and no signal is refused by an error with a code, as a rejection where a promise is returned', async () => {
  const db = await open(':memory:', small);
  const none = null as never;
  const signal = {} as AbortSignal;
  const run = (): number => 1;
  const rejected = [
    () => db.compact(none), () => db.compact({ signal }), () => db.transact(run, none), () => db.transact(run, { signal }), () => db.backup('a', none), () => db.backup('a', { signal }),
    () => db.import(new Blob([]).stream(), none), () => db.import(new Blob([]).stream(), { signal }), () => varve.restore('a', 'b', none), () => varve.restore('a', 'b', { signal }), () => open('a', none),
  ];
  for (const act of rejected) await expect(act(), String(act)).rejects.toThrow(varve.InvalidArgumentError);
  const thrown = [
    () => db.watch(undefined, none), () => db.watch(undefined, { signal }), () => db.export(none), () => db.export({ signal }), () => db.transactSync(run, none), () => db.transactSync(run, { signal }),
    () => db.keyspace('a', none), () => db.keyspace('a', { keys: {} as never }), () => db.keyspace('a', { keys: none }), () => db.keyspace('a', { schema: {} as never }), () => db.keyspace('a', { schema: none }),
  ];
  for (const act of thrown) expect(act, String(act)).toThrow(varve.InvalidArgumentError);
  await db.verify();
  await db.close();
});

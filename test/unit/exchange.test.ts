/** Exports and imports: every key and value there and back in both forms, in bounded batches; what is malformed, damaged or cut off is told where, and changes nothing beyond whole batches. */
import { spawnSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import {
  ClosedError, FullError, ImportError, InvalidArgumentError, ReadOnlyError, open, type ExchangeProgress, type ExportOptions, type ImportOptions, type Key, type OpenOptions, type Store, type ValueCodec,
} from '../../src/index.js';
import { fromTagged, toTagged, type Json } from '../../src/exchange/tagged.js';
import { Random, seedOf } from '../support/random.js';
import { openInMemoryStore, openStore } from '../support/stores.js';

const NOW = 1_700_000_000_000;
const FORMATS = ['ndjson', 'binary'] as const;

function makeStore(options: OpenOptions = {}, now = (): number => NOW): Store {
  return openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096, ...options }, 1, false, now);
}

async function bytesOf(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  await stream.pipeTo(new WritableStream({ write: (chunk) => void chunks.push(chunk) }));
  return Buffer.concat(chunks);
}

/** A source that gives bytes in pieces of a size. */
async function* piecesOf(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

const text = (lines: readonly string[]): AsyncGenerator<Uint8Array> => piecesOf(Buffer.from(lines.map((line) => `${line}\n`).join('')));

const typed = (name: string, bytes: number): unknown => {
  const constructor = (globalThis as unknown as Record<string, (new (buffer: ArrayBuffer) => unknown) | undefined>)[name];
  return constructor === undefined ? undefined : new constructor(new Uint8Array(bytes).map((_, index) => index * 37).buffer);
};
const named = Object.assign(new TypeError('of a type'), { stack: '' });
const VALUES: readonly unknown[] = [
  null, true, false, 0, -0, 1.5, -1e300, 5e-324, NaN, Infinity, -Infinity, 2 ** 53, 0n, -(10n ** 40n), '', 'text', 'ünïcode ☃ 😀', 'lone \ud800 and \udc00', '\u0000\n"\\', new Date(0), new Date(NaN), new Date(-62_198_755_200_000), new Date(8.64e15),
  new Uint8Array(0), new Uint8Array([0, 255, 10]), new Map<unknown, unknown>([['a', 1], [{ b: 2 }, new Set([1n])], [NaN, undefined]]), new Set<unknown>([null, 'x', new Map()]), /a\/b/giu, new ArrayBuffer(3), new DataView(new ArrayBuffer(5)),
  [], [1, [undefined, [null]], 'x'], {}, { a: { b: [{ c: -0 }] } }, { $bytes: 'no tag' }, { $: 1, other: 2 }, { 'lone \ud801': 1 }, JSON.parse('{"__proto__": 5, "a": 1}'), { undefined: undefined },
  ...['Int8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'].map((name) => typed(name, 16)),
  new Error('an error'), named,
];
const KEYS: readonly Key[] = [null, false, true, 0, -1.5, 1e300, Infinity, -Infinity, 10n ** 30n, -5n, 0n, '', 'a', 'ünïcode', 'lone \ud800', 'nul \u0000', new Uint8Array(0), new Uint8Array([0, 255]), [], ['a', 1, [null, new Uint8Array([0])], 2n], 'k'.repeat(3000)];

/** A store with every key and value, in every place. */
async function fillEverything(db: Store): Promise<void> {
  for (const [index, value] of VALUES.entries()) db.putSync(['value', index], value);
  for (const key of KEYS) db.putSync(key, 'of a key');
  db.putSync('short', 'lived', { expiresAt: NOW + 5000 });
  db.putSync('gone', 'already', { expiresAt: NOW - 5000 });
  db.putSync('large', new Uint8Array(20_000).map((_, index) => index));
  const people = db.keyspace('people ☃');
  for (const key of KEYS) people.putSync(key, { key: 'in a keyspace' });
  db.keyspace('json', { values: 'json' }).putSync('a', { b: [1, '$x', { $y: 1 }] });
  db.keyspace('msgpack', { values: 'msgpack' }).putSync('a', { b: [1, new Uint8Array([1])] });
  db.keyspace('own', { values: { encode: () => Uint8Array.of(0xc1, 0xff, 1), decode: () => 'own' } }).putSync('a', 'x');
  // Bytes that ours cannot have written, with a kind of ours, and such as a later release may have.
  for (const kind of [4, 9]) await db.import(text([`{"keyspace":"sly","key":${kind},"kind":${kind},"value":{"$bytes":"wf8B"}}`]));
}

/** The records of a store as they are stored, whatever codec wrote them. */
function recordsOf(db: Store): string[] {
  const { kernel } = db as unknown as { kernel: { holds: { scan(...parameters: unknown[]): { scan: { next(): boolean; keyBytes: Uint8Array; stored: { bytes: Uint8Array; kind: number }; expiryOf(key: Uint8Array): number | undefined }; close(): void } } } };
  const open = kernel.holds.scan(kernel, { from: Uint8Array.of(0), to: Uint8Array.of(0xff), isReverse: false, limit: Infinity }, true, {}, undefined);
  const records: string[] = [];
  while (open.scan.next()) {
    const { keyBytes, stored } = open.scan;
    records.push([Buffer.from(keyBytes).toString('hex'), stored.kind, Buffer.from(stored.bytes).toString('hex'), open.scan.expiryOf(keyBytes)].join(' '));
  }
  open.close();
  return records;
}

for (const format of FORMATS) {
  test(`${format}: every key and value goes there and back, with kinds, keyspaces and expiry`, async () => {
    const db = makeStore();
    await fillEverything(db);
    const bytes = await bytesOf(db.export({ format }));
    const copy = makeStore();
    const report = await copy.import(piecesOf(bytes, 777));
    expect(report).toMatchObject({ read: db.stats().keys - 1, written: db.stats().keys - 1, skipped: 0, version: copy.stats().version });
    expect(recordsOf(copy)).toEqual(recordsOf(db));
    for (const [index, value] of VALUES.entries()) {
      const found = copy.get(['value', index]);
      if (value instanceof Error) expect([(found as Error).name, (found as Error).message]).toEqual([value.name, value.message]);
      else expect(isDeepStrictEqual(found, value) || Number.isNaN((value as Date).getTime?.()), `value ${index}`).toBe(true);
    }
    await copy.verify();
    expect(await bytesOf(copy.export({ format }))).toEqual(bytes);
    await db.close();
    await copy.close();
  });

  test(`${format}: ranges, keyspaces, limits and directions are exported, and go to a keyspace that is named`, async () => {
    const db = makeStore();
    for (let index = 0; index < 30; index++) {
      db.putSync(['n', index], index);
      db.keyspace('people').putSync(['p', index], index);
    }
    const keysOf = async (options: ExportOptions, target?: string): Promise<Key[]> => {
      const copy = makeStore();
      await copy.import(db.export({ ...options, format }), target === undefined ? {} : { keyspace: target });
      return [...copy.keys(), ...copy.keyspaces().flatMap((name) => [...copy.keyspace(name).keys()].map((key) => [name, ...(key as Key[])]))];
    };
    const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
    expect(await keysOf({})).toEqual([...numbers(0, 30).map((index) => ['n', index]), ...numbers(0, 30).map((index) => ['people', 'p', index])]);
    expect(await keysOf({ gte: ['n', 10], lt: ['n', 13] })).toEqual(numbers(10, 13).map((index) => ['n', index]));
    expect(await keysOf({ prefix: ['n'], reverse: true, limit: 2 })).toEqual([['n', 28], ['n', 29]]);
    expect(await keysOf({ keyspace: 'people' })).toEqual(numbers(0, 30).map((index) => ['people', 'p', index]));
    expect(await keysOf({ keyspace: 'people', lte: ['p', 1] }, 'others')).toEqual([['others', 'p', 0], ['others', 'p', 1]]);
    expect(await keysOf({ keyspace: 'nobody' })).toEqual([]);
    await db.close();
  });

  test(`${format}: what is written while somebody reads does not show, its expiry neither`, async () => {
    const db = makeStore();
    for (let index = 0; index < 3000; index++) db.putSync(index, `value ${index}`, index % 2 === 0 ? { expiresAt: NOW + 1000 } : {});
    const stream = db.export({ format });
    for (let index = 0; index < 3000; index++) db.putSync(index, 'changed', { expiresAt: NOW + 9000 });
    const copy = makeStore();
    await copy.import(stream);
    expect(copy.get(2999)).toBe('value 2999');
    for (const record of recordsOf(copy)) expect(record.endsWith(' ') || record.endsWith(` ${NOW + 1000}`)).toBe(true);
    expect(db.stats().snapshots.open).toBe(0);
    await db.close();
  });

  test(`${format}: a hundred thousand records pass in bounded memory, as fast as they are asked for`, async () => {
    const db = await open(':memory:', { memory: { initial: 1 << 20 } });
    for (let index = 0; index < 100_000; index++) db.putSync(index, `value ${index}`);
    const stream = db.export({ format });
    const reader = stream.getReader();
    let most = 0;
    let size = 0;
    const steps: (ExchangeProgress & { written: number })[] = [];
    const target = await open(':memory:');
    async function* counted(): AsyncGenerator<Uint8Array> {
      for (let step = await reader.read(); !step.done; step = await reader.read()) {
        most = Math.max(most, step.value.length);
        size += step.value.length;
        yield step.value;
      }
    }
    const report = await target.import(counted(), { onProgress: (progress) => void steps.push(progress) });
    expect(report).toMatchObject({ read: 100_000, written: 100_000, version: 100 });
    expect(most).toBeLessThan(300_000);
    expect(steps.length).toBe(100);
    expect(steps.at(-1)).toMatchObject({ records: 100_000, written: 100_000 });
    expect(steps.at(-1)!.bytes).toBeLessThanOrEqual(size);
    expect(target.get(77_777)).toBe('value 77777');
    expect(target.count()).toBe(100_000);
    await db.close();
    await target.close();
  });

  test(`${format}: an export that is cancelled, aborted, forgotten by its listener or cut off by close gives back what it keeps`, async () => {
    const db = makeStore();
    for (let index = 0; index < 5000; index++) db.putSync(index, 'x'.repeat(100));
    const cancelled = db.export({ format }).getReader();
    await cancelled.read();
    expect(db.stats().views.scans.open).toBe(1);
    await cancelled.cancel();
    const controller = new AbortController();
    const aborted = db.export({ format, signal: controller.signal }).getReader();
    await aborted.read();
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(aborted.read()).rejects.toBe(reason);
    expect(() => db.export({ signal: controller.signal })).toThrow(reason);
    const failing = db.export({ format, onProgress: () => { throw reason; } }).getReader();
    await expect((async () => { for (;;) if ((await failing.read()).done) return; })()).rejects.toBe(reason);
    expect(db.stats().views.scans.open).toBe(0);
    const open = db.export({ format }).getReader();
    await open.read();
    await db.close();
    await expect((async () => { for (;;) if ((await open.read()).done) return; })()).rejects.toThrow(ClosedError);
    expect(() => db.export()).toThrow(ClosedError);
  });
}

test('plain JSON stays plain, one record a line, for people and other programs', async () => {
  const db = makeStore();
  db.putSync('user:1', { name: 'Ada', tags: ['a', null, 1.5, true] });
  db.putSync('user:2', 'text', { expiresAt: NOW + 1 });
  db.keyspace('people').putSync(['x', 1], 5n);
  const lines = Buffer.from(await bytesOf(db.export())).toString('utf8');
  expect(lines).toBe([
    '{"key":"user:1","value":{"name":"Ada","tags":["a",null,1.5,true]}}',
    `{"key":"user:2","expiresAt":${NOW + 1},"value":"text"}`,
    '{"keyspace":"people","key":["x",1],"value":{"$bigint":"5"}}',
    '',
  ].join('\n'));
  const sorted = spawnSync('python3', ['-c', 'import json,sys\nfor line in sys.stdin: print(json.loads(line)["key"])'], { input: lines, encoding: 'utf8' });
  expect(sorted.stdout).toBe("user:1\nuser:2\n['x', 1]\n");
  await db.close();
});

test('any value that structured cloning keeps is the same after tags and JSON', () => {
  const leaf = fc.oneof(fc.double(), fc.bigInt(), fc.string({ unit: 'binary' }), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.date(), fc.uint8Array());
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: 'small' }, leaf, fc.array(tie('value')), fc.dictionary(fc.oneof(fc.string(), fc.constant('$bytes'), fc.constant('__proto__')), tie('value')),
      fc.array(fc.tuple(tie('value'), tie('value'))).map((pairs) => new Map(pairs)), fc.array(tie('value')).map((items) => new Set(items))),
  }));
  const withPrototype = (one: unknown): unknown => fromTagged(toTagged(one));
  fc.assert(fc.property(value, (one) => isDeepStrictEqual(fromTagged(JSON.parse(JSON.stringify(toTagged(one))) as Json), withPrototype(one)) && isDeepStrictEqual(toTagged(withPrototype(one)), toTagged(one))), { seed: seedOf(3), numRuns: 100 });
});

test('keys that exist are overwritten, skipped or refused, as asked', async () => {
  const lines = ['{"key":"a","value":1}', '{"key":"b","value":1}', '{"key":"b","value":2}', '{"key":"c","value":1}'];
  const outcome = async (existing?: ImportOptions['existing']): Promise<unknown> => {
    const db = makeStore();
    db.putSync('a', 'old');
    db.putSync('expired', 1, { expiresAt: NOW - 1 });
    const report = await db.import(text([...lines, '{"key":"expired","value":2}']), existing === undefined ? {} : { existing }).catch((error: unknown) => error);
    const found = ['a', 'b', 'c', 'expired'].map((key) => db.get(key));
    await db.close();
    return report instanceof ImportError ? [report.line, report.read, report.written, report.code, ...found] : [(report as { written: number }).written, (report as { skipped: number }).skipped, ...found];
  };
  expect(await outcome()).toEqual([5, 0, 1, 2, 1, 2]);
  expect(await outcome('overwrite')).toEqual([5, 0, 1, 2, 1, 2]);
  expect(await outcome('skip')).toEqual([3, 2, 'old', 1, 1, 2]);
  expect(await outcome('fail')).toEqual([1, 0, 0, 'VARVE_IMPORT', 'old', undefined, undefined, undefined]);
});

test('a line that is wrong is named, and only whole batches before it are applied', async () => {
  const wrong = [
    'no json', '[]', '{"key":1}', '{"value":1}', '{"key":1,"value":1,"other":1}', '{"key":{"a":1},"value":1}', '{"key":{"$number":"NaN"},"value":1}', '{"key":1,"value":{"$unknown":1}}', '{"key":1,"value":{"$bytes":"%"}}',
    '{"key":1,"value":{"$array":["Evil","AAAA"]}}', '{"key":1,"value":{"$array":["Float64Array","AAAA"]}}', '{"key":1,"value":{"$date":"yesterday"}}', '{"key":1,"value":{"$regexp":["(",""]}}', '{"key":1,"value":{"$map":[1]}}',
    '{"key":1,"value":1,"expiresAt":-1}', '{"key":1,"value":1,"expiresAt":"soon"}', '{"key":1,"value":1,"codec":"own"}', '{"key":1,"value":1,"kind":3}', '{"key":1,"value":1,"keyspace":""}', '{"key":1,"value":{"$undefined":true}}',
    '{"key":1,"value":{"$string":[99999]}}', '{"key":1,"value":{"$object":[[1,2]]}}', `{"key":"${'k'.repeat(140_000)}","value":1}`, '{"key":1,"value":\u0001}', '['.repeat(100_000), '{"key":1,"value":"cut o',
  ];
  for (const line of wrong) {
    const db = makeStore();
    const good = Array.from({ length: 1500 }, (_, index) => `{"key":${index},"value":"x"}`);
    const error = await db.import(text([...good, '', line, '{"key":"behind","value":1}'])).catch((thrown: unknown) => thrown);
    expect(error, line.slice(0, 60)).toBeInstanceOf(ImportError);
    expect([(error as ImportError).line, (error as ImportError).offset, (error as ImportError).read, (error as ImportError).written]).toEqual([1502, undefined, 1000, 1000]);
    expect(db.count()).toBe(1000);
    await db.close();
  }
  const secret = makeStore();
  for (const line of ['{"key":"secret"', '{"key":"a","value":{"$secret":1}}', '{"key":{"secret":1},"value":1}', '{"key":"a","value":{"$date":"secret"}}', 'secret']) {
    const error = await secret.import(text([line])).catch((thrown: unknown) => thrown);
    expect(String((error as Error).stack) + String((error as Error).cause), line).not.toContain('secret');
  }
  await secret.close();
  const db = makeStore();
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('{"key":1,"value":1}\n');
    yield Uint8Array.of(0x22, 0xff, 0x0a);
  }
  await expect(db.import(broken())).rejects.toMatchObject({ line: 2 });
  expect(db.count()).toBe(0);
  await db.close();
});

test('a compact export that is cut off or damaged anywhere is noticed, and only whole batches before that are applied', async () => {
  const db = makeStore();
  const random = new Random(seedOf(12));
  for (let index = 0; index < 3000; index++) db.putSync(index, random.bytes(60));
  const bytes = await bytesOf(db.export({ format: 'binary' }));
  expect(bytes.length).toBeGreaterThan(3 * 65_536);
  const check = async (damaged: Uint8Array, what: string): Promise<void> => {
    const copy = makeStore();
    const error = await copy.import(piecesOf(damaged, 50_000), { format: 'binary' }).catch((thrown: unknown) => thrown);
    expect(error, what).toBeInstanceOf(ImportError);
    const { offset, line, read } = error as ImportError;
    expect(line).toBeUndefined();
    expect(offset).toBeLessThanOrEqual(damaged.length);
    expect(copy.count(), what).toBe(read);
    expect(read % 1000).toBe(0);
    await copy.close();
  };
  for (let length = 0; length < bytes.length; length += 1 + random.below(9000)) await check(bytes.subarray(0, length), `${length} bytes`);
  await check(bytes.subarray(0, bytes.length - 1), 'all but a byte');
  await check(Buffer.concat([bytes, Buffer.from('x')]), 'a byte more');
  for (let count = 0; count < 60; count++) {
    const damaged = Buffer.from(bytes);
    const at = count < 24 ? count : random.below(bytes.length);
    damaged[at]! ^= 1 << random.below(8);
    await check(damaged, `a bit at ${at}`);
  }
  // A block that is missing, and two that have changed places.
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const ends = [16];
  while (ends.length < 4) ends.push(ends.at(-1)! + 8 + view.getUint32(ends.at(-1)!, true) + 8);
  const [a, b, c, d] = ends as [number, number, number, number];
  await check(Buffer.concat([bytes.subarray(0, b), bytes.subarray(c)]), 'without the second block');
  await check(Buffer.concat([bytes.subarray(0, a), bytes.subarray(b, c), bytes.subarray(a, b), bytes.subarray(c)]), 'the first two exchanged');
  await check(Buffer.concat([bytes.subarray(0, d), bytes.subarray(c)]), 'a block twice');
  await db.close();
});

test('a store that is full, closed or read-only ends an import with its error, after whole batches', async () => {
  const lines = Array.from({ length: 5000 }, (_, index) => `{"key":${index},"value":"${'x'.repeat(1000)}"}`);
  // Of one with a file, what is flushed may leave memory between two batches, and then it is not full.
  const full = openInMemoryStore({ memory: { initial: 1 << 20, limit: 3 << 20 } });
  let written = 0;
  await expect(full.import(text(lines), { onProgress: (progress) => void (written = progress.written) })).rejects.toThrow(FullError);
  expect(written).toBeGreaterThan(0);
  expect(full.count()).toBe(written);
  await full.verify();
  await full.close();
  await expect(full.import(text(lines))).rejects.toThrow(ClosedError);
  const closing = makeStore();
  await expect(closing.import(text(lines), { onProgress: () => void closing.close() })).rejects.toThrow(ClosedError);
  const device = new MemoryDevice();
  await openStore(device, { segmentSize: 4096 }).close();
  const reader = openStore(new MemoryDevice(device.bytes()), { readOnly: true });
  await expect(reader.import(text(lines))).rejects.toThrow(ReadOnlyError);
  await reader.close();
});

test('an import ends when its signal says so, also while the source gives nothing; the source is told', async () => {
  const db = makeStore();
  const controller = new AbortController();
  let cancelled: unknown;
  const stuck = new ReadableStream<Uint8Array>({
    start: (stream) => stream.enqueue(Buffer.from('{"key":1,"value":1}\n')),
    cancel: (reason) => {
      cancelled = reason;
    },
  });
  const importing = db.import(stuck, { signal: controller.signal });
  await new Promise((resolve) => setImmediate(resolve));
  const reason = new Error('enough');
  controller.abort(reason);
  await expect(importing).rejects.toBe(reason);
  expect(cancelled).toBe(reason);
  expect(db.count()).toBe(0);
  let ended = false;
  async function* numbers(): AsyncGenerator<string> {
    try {
      for (let index = 0; ; index++) yield `{"key":${index},"value":1}\n`;
    } finally {
      ended = true;
    }
  }
  const again = new AbortController();
  await expect(db.import(numbers(), { signal: again.signal, onProgress: ({ records }) => void (records === 3000 && again.abort(reason)) })).rejects.toBe(reason);
  expect([ended, db.count()]).toEqual([true, 3000]);
  const failing = new RangeError('of the source');
  await expect(db.import((async function* () { yield '{"key":"x","value":1}\n'; throw failing; })())).rejects.toBe(failing);
  expect(db.has('x')).toBe(false);
  await db.close();
});

test('empty sources, blank lines, a last line without its end, and pieces of any size', async () => {
  const db = makeStore();
  expect(await db.import(text([]))).toEqual({ read: 0, written: 0, skipped: 0, version: 0 });
  const bytes = Buffer.from('\n{"key":"a","value":"☃"}\r\n  \n{"key":"b","value":2}');
  for (let size = 1; size < 20; size++) {
    db.deleteSync('a');
    expect(await db.import(piecesOf(bytes, size))).toMatchObject({ read: 2, written: 2 });
    expect([db.get('a'), db.get('b')]).toEqual(['☃', 2]);
  }
  await db.close();
});

test('bad arguments are refused before anything is read', async () => {
  const db = makeStore();
  for (const options of [{ format: 'xml' }, { keyspace: 1 }, { keyspace: '' }, { other: 1 }, { limit: -1 }, { gt: {} }, { onProgress: 1 }, null]) expect(() => db.export(options as ExportOptions), JSON.stringify(options)).toThrow(InvalidArgumentError);
  for (const options of [{ format: 'xml' }, { keyspace: 1 }, { keyspace: '' }, { other: 1 }, { existing: 'merge' }, { onProgress: 1 }, null]) await expect(db.import(text([]), options as ImportOptions), JSON.stringify(options)).rejects.toThrow(InvalidArgumentError);
  for (const source of ['text', 5, null, [1], {}]) await expect(db.import(source as never)).rejects.toThrow(InvalidArgumentError);
  await expect(db.import((async function* () { yield 5 as never; })())).rejects.toThrow(InvalidArgumentError);
  await db.close();
});

test('an export that is ended by its listener at the first bytes reads nothing more, and its signal keeps nothing of one that has failed', async () => {
  const db = openStore(new MemoryDevice(), { durability: 'relaxed', segmentSize: 4096 }, 1, true);
  for (let index = 0; index < 50; index++) db.putSync(index, index);
  for (const format of FORMATS) {
    const controller = new AbortController();
    const reason = new Error('enough');
    await expect(bytesOf(db.export({ format, signal: controller.signal, onProgress: () => controller.abort(reason) }))).rejects.toBe(reason);
    const { signal } = new AbortController();
    await expect(bytesOf(db.export({ format, signal, onProgress: () => { throw reason; } }))).rejects.toBe(reason);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  }
  expect(db.stats().views.scans.open).toBe(0);
  await db.verify();
  await db.close();
});

test('bytes of a class of one\'s own, of another realm, or in a buffer that is used again are what they are, whatever they say of themselves', async () => {
  class Lying extends Uint8Array {
    override get length(): number { return 3; }
    override get byteLength(): number { return 2 ** 40; }
    override get byteOffset(): number { return 1; }
    override get buffer(): ArrayBuffer { return new ArrayBuffer(7); }
    override subarray(): never { return new Uint8Array(5) as never; }
    override slice(): never { return new Uint8Array(5) as never; }
    override indexOf(): number { return 0; }
    override [Symbol.iterator](): never { throw new Error('asked'); }
  }
  const other = runInNewContext('Uint8Array') as Uint8ArrayConstructor;
  const kept = new Uint8Array(300);
  const ways: ((piece: Uint8Array) => Uint8Array)[] = [
    (piece) => new Lying(piece),
    (piece) => Object.defineProperties(new Uint8Array(piece), { length: { value: 1 }, byteLength: { value: 1 }, subarray: { value: () => new Uint8Array(1) } }),
    (piece) => new other(piece),
    (piece) => {
      kept.set(piece);
      return kept.subarray(0, piece.length);
    },
  ];
  const db = makeStore();
  fillEverything(db);
  for (const format of FORMATS) {
    const bytes = await bytesOf(db.export({ format }));
    for (const [index, way] of ways.entries()) {
      const copy = makeStore();
      await copy.import((async function* () {
        for await (const piece of piecesOf(bytes, 300)) yield way(piece);
      })());
      expect(Buffer.compare(await bytesOf(copy.export({ format })), bytes), `${format}, way ${index}`).toBe(0);
      await copy.close();
    }
  }
  const gone = new Uint8Array(10);
  structuredClone(gone, { transfer: [gone.buffer] });
  for (const bytes of [gone, new Proxy(new Uint8Array(10), {}), Object.create(Uint8Array.prototype) as Uint8Array, new Int8Array(10)]) {
    await expect(db.import((async function* () { yield bytes as never; })())).rejects.toThrow(InvalidArgumentError);
  }
  await db.close();
});

test('a text that is cut within a surrogate pair is the same text', async () => {
  const db = makeStore();
  const lines = '{"key":"\u{1f600}","value":"a\u{1f600}b"}\n{"key":"end","value":"\u{1f600}"}';
  await db.import((async function* () { for (let at = 0; at < lines.length; at++) yield lines.charAt(at); })());
  expect([...db.scan()].map(({ key, value }) => [key, value])).toEqual([['end', '\u{1f600}'], ['\u{1f600}', 'a\u{1f600}b']]);
  // What never becomes a pair is told as the platform tells it, also before bytes.
  await db.import((async function* () { yield '{"key":"half","value":"\ud83d'; yield new TextEncoder().encode('"}\n'); yield '{"key":"last","value":1}\n'; })());
  expect([db.get('half'), db.get('last')]).toEqual(['\ufffd', 1]);
  await expect(db.import((async function* () { yield '\ud83d'; })())).rejects.toThrow(ImportError);
  await db.close();
});

test('a source that is written by hand and answers at once is told of the end like others, and what was wrong comes out', async () => {
  const db = makeStore();
  let ends = 0;
  for (const signal of [undefined, new AbortController().signal]) {
    for (const end of [() => ({ done: true }), () => { throw new Error('out of return'); }, () => undefined]) {
      const source = { [Symbol.asyncIterator]: () => ({ next: () => ({ done: false, value: 'no JSON\n' }), return: () => (ends++, end()) }) } as unknown as AsyncIterable<string>;
      await expect(db.import(source, signal === undefined ? {} : { signal })).rejects.toThrow(/Line 1/);
    }
  }
  expect(ends).toBe(6);
  await db.close();
});

test('what a codec of the caller\'s has written stays as it is, with its kind', async () => {
  const values: ValueCodec<string> = { encode: (value) => Buffer.from(value), decode: (bytes) => Buffer.from(bytes).toString() };
  for (const format of FORMATS) {
    const [db, other] = [makeStore({ values }), makeStore()];
    for (const [index, value] of ['', 'a', '"a"', '\u{1f600}', 'x'.repeat(9000)].entries()) db.putSync(index, value);
    await other.import(db.export({ format }));
    expect(recordsOf(other)).toEqual(recordsOf(db));
    for (const record of recordsOf(other)) expect(record.split(' ')[1]).toBe('7');
    expect(() => other.get(1)).toThrow(InvalidArgumentError);
    const again = makeStore({ values });
    await again.import(other.export({ format }));
    expect([...again.values()]).toEqual([...db.values()]);
    for (const store of [db, other, again]) await store.close();
  }
  const db = makeStore({ values });
  db.putSync('a', 'AAE');
  expect(Buffer.from(await bytesOf(db.export())).toString()).toBe('{"key":"a","kind":7,"value":{"$bytes":"QUFF"}}\n');
  await db.close();
});

test('bytes that were imported with a kind stay as they are, whatever the kind, also where it is one of ours and ours could read them', async () => {
  const samples = [[], [0x61], [0x61, 0], [0xc3, 0xa9], [0xff, 0xfe], [0x31, 0x20], [0x22, 0x5c, 0x75, 0x30, 0x30, 0x34, 0x31, 0x22], [0xcc, 1], [0xca, 0x3f, 0x80, 0, 0], [0xd9, 1, 0x61]];
  for (const format of FORMATS) {
    for (let kind = 0; kind < 16; kind++) {
      const [db, other] = [makeStore(), makeStore()];
      await db.import(text(samples.map((sample, key) => JSON.stringify({ key, kind, value: toTagged(new Uint8Array(sample)) }))));
      await other.import(db.export({ format }));
      expect(recordsOf(other), `${format}, kind ${kind}`).toEqual(recordsOf(db));
      expect(recordsOf(db).map((record) => record.split(' ').slice(1, 3))).toEqual(samples.map((sample) => [String(kind), Buffer.from(sample).toString('hex')]));
      await db.close();
      await other.close();
    }
  }
});

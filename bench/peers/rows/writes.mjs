/**
 * Writing, with the operating system when it is acknowledged: 100,000 keys with values of 100 bytes. What adds or removes keys begins each sample with a newly filled store, so that no figure
 * depends on how often it was taken; what overwrites stays in the same store.
 */
import { createKeys, createRandom, firstByteFor, freshKeys, uniformOrder, valueFor, VALUE_SIZE } from '../../harness/data.mjs';
import { mustBe } from '../../harness/measure.mjs';
import { checkValues, fill, openNew, VALUE } from './store.mjs';

/** @typedef {import('./store.mjs').Context} Context */
/** @typedef {import('./store.mjs').Subject} Subject */
/** @typedef {import('./store.mjs').Handle} Handle */
/** @typedef {import('../../contest/contestant.mjs').Prepared} Prepared */

const IN_FLIGHT = 1000;
const TOGETHER = 64;
const MARK_AT = 1;

/** One after the other; who answers without a promise is not awaited. @param {string[]} keys @param {(key: string) => unknown} write */
async function oneByOne(keys, write) {
  for (let index = 0; index < keys.length; index++) {
    const pending = write(keys[index]);
    if (pending !== undefined) await pending;
  }
  return keys.length;
}

/** So many at a time. @param {string[]} keys @param {number} count @param {(some: string[]) => unknown} write */
async function inGroups(keys, count, write) {
  for (let start = 0; start < keys.length; start += count) {
    const pending = write(keys.slice(start, start + count));
    if (pending !== undefined) await pending;
  }
  return keys.length;
}

/** Collects works and what is said of them. @param {string} durability */
function createSheet(durability) {
  /** @type {Prepared['works']} */
  const works = {};
  /** @type {NonNullable<Prepared['labels']>} */
  const labels = {};
  return {
    works,
    labels,
    /** @param {string} name @param {string} what @param {number} keys @param {number} valueSize @param {import('../../harness/measure.mjs').Work} work */
    add(name, what, keys, valueSize, work) {
      works[name] = work;
      labels[name] = { what, keys, valueSize, durability };
    },
  };
}

/** @param {Context} context @param {Subject} subject @returns {Promise<Prepared>} */
export async function overwrites(context, subject) {
  const keys = createKeys(context.keys(100_000));
  const { handle, discard } = await openNew(context, subject, 'buffered');
  await fill(handle, keys);
  const random = createRandom(context.seed);
  const operations = context.operations(20_000);
  const value = Buffer.from(VALUE);
  const { works, labels, add } = createSheet('buffered');
  /** @type {string[]} */
  let asked = [];
  const before = () => { asked = Array.from(uniformOrder(operations, keys.length, random), (number) => keys[number]); };
  let turn = 0;
  add('put/overwrite', 'a write to a key that is there, uniform, one by one', keys.length, VALUE_SIZE, {
    operations,
    before: () => {
      before();
      value[2] = ++turn & 0xff;
    },
    run: () => oneByOne(asked, (key) => handle.put(key, value)),
    after: () => checkValues(handle, asked, () => value),
  });
  if (handle.update !== undefined && handle.updateTogether !== undefined) {
    const update = handle.update.bind(handle);
    const updateTogether = handle.updateTogether.bind(handle);
    const changed = Buffer.from(VALUE);
    const change = (/** @type {Uint8Array} */ found) => {
      changed.set(found);
      changed[MARK_AT]++;
      return changed;
    };
    /** @type {Map<string, number>} */
    let marks = new Map();
    const beforeUpdate = () => {
      before();
      marks = new Map(asked.map((key) => [key, /** @type {Uint8Array} */ (handle.get(key))[MARK_AT]]));
      for (const key of asked) marks.set(key, (/** @type {number} */ (marks.get(key)) + 1) & 0xff);
    };
    const after = () => { for (const [key, mark] of marks) mustBe(`the increments of ${key}`, /** @type {Uint8Array} */ (handle.get(key))[MARK_AT], mark); };
    add('update/one', 'a transaction that reads a key and writes it, one by one', keys.length, VALUE_SIZE, { operations, before: beforeUpdate, run: () => oneByOne(asked, (key) => update(key, change)), after });
    add('update/64', `as update/one, ${TOGETHER} in flight at once`, keys.length, VALUE_SIZE, { operations, before: beforeUpdate, run: () => inGroups(asked, TOGETHER, (some) => updateTogether(some, change)), after });
  }
  return { works, labels, dispose: discard };
}

/** @param {Context} context @param {Subject} subject @returns {Promise<Prepared>} */
export async function additions(context, subject) {
  const keys = createKeys(context.keys(100_000));
  /** @type {Awaited<ReturnType<typeof openNew>>} */
  let store;
  /** @type {string[]} */
  let asked = [];
  const sheet = createSheet('buffered');
  const add = (/** @type {string} */ name, /** @type {string} */ what, /** @type {number} */ operations, /** @type {number} */ size, /** @type {Uint8Array} */ value, /** @type {string[]} */ filled, /** @type {(handle: Handle) => Promise<number>} */ run) => {
    sheet.add(name, what, filled.length, value.length, {
      operations,
      before: async () => {
        asked = freshKeys(operations * size);
        store = await openNew(context, subject, 'buffered', { valueSize: value.length });
        await fill(store.handle, filled, (number) => valueFor(number, value.length));
      },
      run: () => run(store.handle),
      after: async (computed) => {
        mustBe(name, computed, operations * size);
        checkValues(store.handle, asked, () => value);
        checkValues(store.handle, filled.slice(0, IN_FLIGHT), (number) => valueFor(number, value.length));
        await store.discard();
      },
    });
  };
  const probe = await openNew(context, subject, 'buffered');
  const { putTogether, batch } = probe.handle;
  await probe.discard();
  const operations = context.operations(20_000);
  add('put/new', 'a write of a new key, one by one', operations, 1, VALUE, keys, (handle) => oneByOne(asked, (key) => handle.put(key, VALUE)));
  if (putTogether !== undefined) add('put/in flight', `a write of a new key, ${IN_FLIGHT.toLocaleString('en')} in flight at once`, context.operations(100_000), 1, VALUE, keys, (handle) => inGroups(asked, IN_FLIGHT, (some) => putTogether.call(handle, some, VALUE)));
  if (batch !== undefined) {
    for (const [size, count] of [[10, 2_000], [1_000, 50]]) {
      const values = Array.from({ length: size }, () => VALUE);
      add(`batch/${size}`, `an atomic batch of ${size.toLocaleString('en')} new keys`, context.operations(count), size, VALUE, keys, (handle) => inGroups(asked, size, (some) => batch.call(handle, some, values)));
    }
  }
  const thousand = createKeys(context.keys(1_000));
  for (const [size, count] of [[1024, 10_000], [4096, 4_000], [16384, 1_000]]) {
    const value = Buffer.from(valueFor(1, size));
    add(`put/${size}`, `a write of a new key with ${size.toLocaleString('en')} bytes, one by one`, context.operations(count), 1, value, thousand, (handle) => oneByOne(asked, (key) => handle.put(key, value)));
  }
  return { works: sheet.works, labels: sheet.labels, dispose: () => undefined };
}

/** @param {Context} context @param {Subject} subject @returns {Promise<Prepared>} */
export async function removals(context, subject) {
  const keys = createKeys(context.keys(100_000));
  const operations = Math.min(keys.length, context.operations(20_000));
  const { works, labels, add } = createSheet('buffered');
  /** @type {Awaited<ReturnType<typeof openNew>>} */
  let store;
  const asked = keys.slice(0, operations);
  add('delete', 'a delete of a key that is there, one by one', keys.length, VALUE_SIZE, {
    operations,
    before: async () => {
      store = await openNew(context, subject, 'buffered');
      await fill(store.handle, keys);
    },
    run: () => oneByOne(asked, (key) => store.handle.remove(key)),
    after: async () => {
      for (const key of asked) mustBe(`the value of ${key}`, store.handle.get(key) ?? undefined, undefined);
      checkValues(store.handle, keys.slice(operations), (index) => valueFor(operations + index));
      await store.discard();
    },
  });
  return { works, labels, dispose: () => undefined };
}

/** @param {Context} context @param {Subject} subject @returns {Promise<Prepared>} */
export async function exchanges(context, subject) {
  const keys = createKeys(context.keys(100_000));
  const { works, labels, add } = createSheet('buffered');
  const { handle, discard } = await openNew(context, subject, 'buffered', { isVersioned: true });
  const { version, cas } = handle;
  if (version === undefined || cas === undefined) return { works, labels, dispose: discard };
  await fill(handle, keys);
  const random = createRandom(context.seed);
  const operations = context.operations(20_000);
  /** @type {string[]} */
  let asked = [];
  const before = () => { asked = Array.from(uniformOrder(operations, keys.length, random), (number) => keys[number]); };
  const wrong = 2 ** 40;
  const exchange = async (/** @type {boolean} */ isRight) => {
    let won = 0;
    for (let index = 0; index < asked.length; index++) {
      const key = asked[index];
      const outcome = cas.call(handle, key, isRight ? version.call(handle, key) : wrong, VALUE);
      if (typeof outcome === 'boolean' ? outcome : await outcome) won++;
    }
    return won;
  };
  add('cas/failure', 'an exchange that expects a version that the key does not have', keys.length, VALUE_SIZE, {
    operations,
    before,
    run: () => exchange(false),
    after: (won) => {
      mustBe('exchanges that should have failed', won, 0);
      for (const key of asked.slice(0, IN_FLIGHT)) mustBe(`the value of ${key}`, [firstByteFor(Number(key.slice(5))), VALUE[0]].includes(/** @type {Uint8Array} */ (handle.get(key))[0]), true);
    },
  });
  add('cas/success', 'the version of a key read, and the key overwritten if it still has that', keys.length, VALUE_SIZE, {
    operations, before, run: () => exchange(true),
    after: (won) => {
      mustBe('exchanges that succeeded', won, operations);
      checkValues(handle, asked, () => VALUE);
    },
  });
  return { works, labels, dispose: discard };
}

/** Writes that are flushed when they are acknowledged. @param {Context} context @param {Subject} subject @returns {Promise<Prepared>} */
export async function durable(context, subject) {
  const keys = createKeys(context.keys(1_000));
  const { handle, discard } = await openNew(context, subject, 'strict');
  await fill(handle, keys);
  const { works, labels, add } = createSheet('strict');
  /** @type {string[]} */
  let asked = [];
  const few = context.operations(300);
  const many = context.operations(TOGETHER * 60);
  const work = (/** @type {number} */ operations, /** @type {() => Promise<number>} */ run) => ({
    operations,
    before: () => { asked = freshKeys(operations); },
    run,
    after: () => checkValues(handle, asked, () => VALUE),
  });
  add('durable/one', 'a write of a new key, flushed, one by one', keys.length, VALUE_SIZE, work(few, () => oneByOne(asked, (key) => handle.put(key, VALUE))));
  if (handle.putTogether !== undefined) {
    const putTogether = handle.putTogether.bind(handle);
    add('durable/64', `a write of a new key, flushed, ${TOGETHER} in flight at once`, keys.length, VALUE_SIZE, work(many, () => inGroups(asked, TOGETHER, (some) => putTogether(some, VALUE))));
  }
  return { works, labels, dispose: discard };
}

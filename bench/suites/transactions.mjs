/**
 * The rows on transactions: transaction_commit, cas, snapshot_read, conflict_detection and version_growth. As in `kv`, a row that writes begins every sample with
 * a newly filled store. Contenders are sessions of one process that take their turns in a fixed order, so that the same ones win every time.
 */
import { createKeys, createRandom, firstByteFor, freshKeys, keyFor, uniformOrder, valueFor, VALUE_SIZE } from '../harness/data.mjs';
import { mustBe } from '../harness/measure.mjs';
import { checkDurable, checkPut, ConflictError, discard, fill, keepShapes, openNew } from '../subjects/varve.mjs';
import { disposeAll, floorBeside, FreshStore, sizeOfCommits, STRICT_ROUNDS_MAX, sumOf, sumOfVersions } from './kv.mjs';

/** @typedef {import('../harness/context.mjs').Context} Context */
/** @typedef {import('../harness/measure.mjs').Row} Row */
/** @typedef {import('../harness/measure.mjs').Work} Work */
/** @typedef {import('./kv.mjs').Mode} Mode */

/** Where in a value a mark or a count of increments stands; the first byte tells which key it is. */
const MARK_AT = 1;
/** What `valueFor` puts there. */
const UNMARKED = 0x5a;
const MARK = 0xa5;
/** Commits whose size is measured. */
const PROBES = 31;

/**
 * What a row does to a store that is newly filled with `keys`; `plan` says to which of them, and is not timed.
 * @template Plan
 * @typedef {object} Scenario
 * @property {string[]} keys
 * @property {(operations: number, store: any) => Plan} plan
 * @property {(store: any, plan: Plan, operations: number) => number | Promise<number>} run
 * @property {(store: any, plan: Plan, computed: number, version: number) => void} check `version` is the store's before the run
 */

/**
 * @template Plan
 * @param {Context} context
 * @param {Mode} mode
 * @param {number} operations
 * @param {Scenario<Plan>} scenario
 * @param {number} flushesLeast
 * @returns {Work}
 */
export function workOn(context, mode, operations, scenario, flushesLeast = operations) {
  const fresh = new FreshStore(context, mode, scenario.keys);
  /** @type {Plan} */
  let plan;
  /** @type {unknown} */
  let shapes;
  return {
    operations,
    before: async () => {
      await fresh.renew();
      shapes = keepShapes(fresh.store);
      plan = scenario.plan(operations, fresh.store);
    },
    run: () => scenario.run(fresh.store, plan, operations),
    after: async (computed) => {
      mustBe('that shapes were kept', shapes !== undefined, true);
      checkDurable(fresh.store, mode, fresh.flushes, flushesLeast);
      scenario.check(fresh.store, plan, computed, fresh.version);
      mustBe('views that are still open', fresh.store.stats().snapshots.open, 0);
      await fresh.discard();
    },
  };
}

/** @param {any} store @param {number} version @param {number} commits */
function checkVersion(store, version, commits) {
  mustBe('the version after all commits', store.stats().version, version + commits);
}

// ── transaction_commit ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Runs one body per operation, each in a transaction of its own, or in none.
 * @callback Loop
 * @param {any} store
 * @param {number} count
 * @param {(target: any, index: number) => any} body
 * @returns {number | Promise<number>}
 */

/** @type {Loop} */
export function transactionsSync(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += store.transactSync((/** @type {any} */ tx) => body(tx, index));
  return sum;
}

/** @type {Loop} */
async function transactionsAwaited(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += await store.transact((/** @type {any} */ tx) => body(tx, index));
  return sum;
}

/** @type {Loop} */
function bareSync(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += body(store, index);
  return sum;
}

/** @type {Loop} */
async function bareAwaited(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += await body(store, index);
  return sum;
}

/** How a transaction is called, and how many times a sample, under each durability; `bare` runs the same calls without one. */
const CALLS = {
  memory: { what: 'transactSync', operations: 10_000, transactions: transactionsSync, bare: bareSync },
  buffered: { what: 'await transact', operations: 10_000, transactions: transactionsAwaited, bare: bareAwaited },
  strict: { what: 'await transact', operations: 200, transactions: transactionsAwaited, bare: bareAwaited },
};

/**
 * New keys, `size` to a commit.
 * @param {string[]} keys
 * @param {number} size
 * @param {Loop} loop
 * @param {(target: any, asked: string[], start: number, value: Uint8Array) => any} body
 * @param {(operations: number) => number} expected what the loop returns, the versions left out
 * @param {boolean} isVersions whether the loop returns the versions
 * @returns {Scenario<string[]>}
 */
export function putsScenario(keys, size, loop, body, expected = (operations) => operations * size, isVersions = false) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => freshKeys(operations * size),
    run: (store, asked, operations) => loop(store, operations, (target, index) => body(target, asked, index * size, value)),
    check: (store, asked, computed, version) => {
      const commits = asked.length / size;
      mustBe('the fold', computed, isVersions ? sumOfVersions(version, commits) : expected(commits));
      checkVersion(store, version, commits);
      mustBe('the keys', store.stats().keys, keys.length + asked.length);
      checkPut(store, asked, value);
    },
  };
}

/** @param {number} size */
export function putsOf(size) {
  return (/** @type {any} */ tx, /** @type {string[]} */ asked, /** @type {number} */ start, /** @type {Uint8Array} */ value) => {
    for (let index = start; index < start + size; index++) tx.put(asked[index], value);
    return size;
  };
}

/** @param {number} size @param {string} put @param {string} batch the names of the methods */
function bareOf(size, put, batch) {
  return (/** @type {any} */ store, /** @type {string[]} */ asked, /** @type {number} */ start, /** @type {Uint8Array} */ value) => {
    if (size === 1) return store[put](asked[start], value);
    const operations = [];
    for (let index = start; index < start + size; index++) operations.push({ type: 'put', key: asked[index], value });
    return store[batch](operations);
  };
}

/**
 * Reads a key, counts up in its value, and puts that.
 * @param {string[]} keys
 * @param {Loop} loop
 * @param {(target: any, key: string, value: Uint8Array) => any} put
 * @param {{ below(limit: number): number }} random
 * @param {boolean} isVersions whether the loop returns the versions, rather than the first bytes
 * @returns {Scenario<Uint32Array>}
 */
export function incrementsScenario(keys, loop, put, random, isVersions = false) {
  const value = new Uint8Array(VALUE_SIZE);
  return {
    keys,
    plan: (operations) => uniformOrder(operations, keys.length, random),
    run: (store, order, operations) => loop(store, operations, (target, index) => {
      const key = keys[order[index]];
      // What was read is a view of bytes that others share.
      value.set(target.get(key));
      value[MARK_AT]++;
      const outcome = put(target, key, value);
      return isVersions ? outcome : value[0];
    }),
    check: (store, order, computed, version) => {
      mustBe('the fold', computed, isVersions ? sumOfVersions(version, order.length) : sumOf(order));
      checkVersion(store, version, order.length);
      checkIncrements(store, keys, order);
    },
  };
}

/** Checks that no increment was lost. @param {any} store @param {string[]} keys @param {Uint32Array} order */
function checkIncrements(store, keys, order) {
  const counts = new Uint8Array(keys.length).fill(UNMARKED);
  for (const number of order) counts[number]++;
  keys.forEach((key, number) => {
    const value = store.get(key);
    mustBe('the key that a value is of', value[0], firstByteFor(number));
    mustBe('the increments of a key', value[MARK_AT], counts[number]);
  });
  mustBe('the keys', store.stats().keys, keys.length);
}

/** @typedef {{ order: Uint32Array, written: Uint32Array }} ReadsAndWrites */

/**
 * Reads `size` keys, and puts one.
 * @param {string[]} keys
 * @param {number} size
 * @param {Loop} loop
 * @param {(target: any, key: string, value: Uint8Array) => any} put
 * @param {{ below(limit: number): number }} random
 * @returns {Scenario<ReadsAndWrites>}
 */
export function readsScenario(keys, size, loop, put, random) {
  const value = valueFor(0);
  value[MARK_AT] = MARK;
  return {
    keys,
    plan: (operations) => ({ order: uniformOrder(operations * size, keys.length, random), written: uniformOrder(operations, keys.length, random) }),
    run: (store, { order, written }, operations) => loop(store, operations, (target, index) => {
      let sum = 0;
      for (let at = index * size; at < (index + 1) * size; at++) sum += target.get(keys[order[at]])[0];
      value[0] = firstByteFor(written[index]);
      const promise = put(target, keys[written[index]], value);
      return promise instanceof Promise ? promise.then(() => sum) : sum;
    }),
    check: (store, { order, written }, computed, version) => {
      mustBe('the fold', computed, sumOf(order));
      checkVersion(store, version, written.length);
      const marked = new Set(written);
      keys.forEach((key, number) => {
        mustBe('the key that a value is of', store.get(key)[0], firstByteFor(number));
        mustBe('the mark of a value', store.get(key)[MARK_AT], marked.has(number) ? MARK : UNMARKED);
      });
    },
  };
}

/** @param {any} tx @param {string} key @param {Uint8Array} value */
export const putIn = (tx, key, value) => tx.put(key, value);
/** @param {any} store @param {string} key @param {Uint8Array} value */
const putSync = (store, key, value) => store.putSync(key, value);
/** @param {any} store @param {string} key @param {Uint8Array} value */
const put = (store, key, value) => store.put(key, value);

/** @param {Mode} mode */
function commitJob(mode) {
  return async (/** @type {Context} */ context) => {
    const { what, transactions, bare } = CALLS[mode];
    const isSync = mode === 'memory';
    const barePut = isSync ? putSync : put;
    const random = createRandom(context.seed);
    const many = createKeys(context.keys(10_000));
    const thousand = createKeys(context.keys(1_000));
    const operations = context.operations(CALLS[mode].operations);
    /** @type {(() => unknown)[]} */
    const disposals = [];
    /** @type {Row[]} */
    const rows = [];

    /**
     * @template Plan, Other
     * @param {string} name
     * @param {string} inside
     * @param {number} count
     * @param {NonNullable<Row['threshold']>} threshold
     * @param {(loop: Loop) => Scenario<Plan>} inTransactions
     * @param {string} besideName
     * @param {Scenario<Other>} other the same without a transaction
     */
    const add = async (name, inside, count, threshold, inTransactions, besideName, other) => {
      const scenario = inTransactions(transactions);
      /** @type {Row} */
      const row = {
        name: `transaction_commit/${name}`, what: `${what}: ${inside}`, keys: scenario.keys.length, valueSize: VALUE_SIZE, durability: mode, threshold,
        ...(mode === 'strict' ? { roundsMax: STRICT_ROUNDS_MAX } : {}),
        work: workOn(context, mode, count, scenario),
        beside: { [besideName]: workOn(context, mode, count, other) },
      };
      if (mode !== 'memory') {
        const probe = inTransactions(transactionsAwaited);
        const size = await sizeOfCommits(context, probe.keys, PROBES, async (store) => probe.run(store, probe.plan(PROBES, store), PROBES));
        const floor = floorBeside(context, mode, size, count);
        disposals.push(floor.close);
        Object.assign(row.beside ?? {}, floor.beside);
      }
      rows.push(row);
    };

    for (const size of [1, 3, 5, 10]) {
      const bareWhat = size === 1 ? (isSync ? 'putSync' : 'await put') : `${isSync ? 'batchSync' : 'await batch'} of ${size}`;
      await add(size === 1 ? 'single_key_put' : `multi_key_put/${size}`, size === 1 ? 'put' : `${size} put`, operations, size === 1 ? { ok: 2_000, stretch: 5_000 } : {},
        (loop) => putsScenario(many, size, loop, putsOf(size)),
        bareWhat, putsScenario(many, size, bare, isSync ? bareOf(size, 'putSync', 'batchSync') : bareOf(size, 'put', 'batch'), undefined, true));
    }
    await add('read_modify_write', 'get, put', operations, {}, (loop) => incrementsScenario(thousand, loop, putIn, random),
      isSync ? 'get, putSync' : 'get, await put', incrementsScenario(thousand, bare, barePut, random, true));
    for (const size of [1, 10, 100]) {
      const count = context.operations(size === 100 ? Math.min(2_000, CALLS[mode].operations) : CALLS[mode].operations);
      await add(`readN_write1/${size}`, `${size} get, put`, count, size === 100 ? { ok: 200, stretch: 1_000 } : {}, (loop) => readsScenario(many, size, loop, putIn, random),
        isSync ? `${size} get, putSync` : `${size} get, await put`, readsScenario(many, size, bare, barePut, random));
    }
    return { rows, dispose: () => disposeAll(disposals) };
  };
}

// ── cas ────────────────────────────────────────────────────────────────────────────────────────────────────────────

/** @param {any} store @param {string} key @param {Uint8Array} value */
const casRead = (store, key, value) => store.casSync(key, store.getEntry(key).version, value);

/** The version that a cas gave; one that must succeed. @param {{ ok: boolean, version: number }} result */
function won(result) {
  if (!result.ok) throw new Error(`a cas failed that had no rival: the key has version ${result.version}`);
  return result.version;
}

/** Reads the version of a key, and overwrites exactly that. @param {string[]} keys @param {{ below(limit: number): number }} random @param {boolean} isSync @returns {Scenario<Uint32Array>} */
export function casScenario(keys, random, isSync) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => uniformOrder(operations, keys.length, random),
    run: isSync
      ? (store, order) => {
        let sum = 0;
        for (let index = 0; index < order.length; index++) sum += won(casRead(store, keys[order[index]], value));
        return sum;
      }
      : async (store, order) => {
        let sum = 0;
        for (let index = 0; index < order.length; index++) {
          const key = keys[order[index]];
          sum += won(await store.cas(key, store.getEntry(key).version, value));
        }
        return sum;
      },
    check: (store, order, computed, version) => {
      mustBe('the versions', computed, sumOfVersions(version, order.length));
      checkPut(store, Array.from(order, (number) => keys[number]), value);
    },
  };
}

/**
 * Two sessions read the version of one key, then each overwrites it: one wins, and the other reads anew until it wins.
 * @param {string[]} keys @param {{ below(limit: number): number }} random @param {boolean} isSync @returns {Scenario<Uint32Array>}
 */
function casRetriedScenario(keys, random, isSync) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => uniformOrder(operations / 2, keys.length, random),
    run: isSync
      ? (store, order) => {
        let retries = 0;
        for (let index = 0; index < order.length; index++) {
          const key = keys[order[index]];
          const seen = [store.getEntry(key).version, store.getEntry(key).version];
          for (let version of seen) {
            while (!store.casSync(key, version, value).ok) {
              retries++;
              version = store.getEntry(key).version;
            }
          }
        }
        return retries;
      }
      : async (store, order) => {
        let retries = 0;
        for (let index = 0; index < order.length; index++) {
          const key = keys[order[index]];
          const seen = [store.getEntry(key).version, store.getEntry(key).version];
          for (let version of seen) {
            while (!(await store.cas(key, version, value)).ok) {
              retries++;
              version = store.getEntry(key).version;
            }
          }
        }
        return retries;
      },
    check: (store, order, computed, version) => {
      mustBe('the retries', computed, order.length);
      checkVersion(store, version, order.length * 2);
      checkPut(store, Array.from(order, (number) => keys[number]), value);
    },
  };
}

/** Expects a version that no key has. @param {string[]} keys @param {{ below(limit: number): number }} random @param {boolean} isSync @returns {Scenario<{ order: Uint32Array, wrong: number, sum: number }>} */
export function casLostScenario(keys, random, isSync) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations, store) => {
      const order = uniformOrder(operations, keys.length, random);
      return { order, wrong: store.stats().version + 1, sum: order.reduce((sum, number) => sum + store.getEntry(keys[number]).version, 0) };
    },
    run: isSync
      ? (store, { order, wrong }) => {
        let sum = 0;
        for (let index = 0; index < order.length; index++) sum += store.casSync(keys[order[index]], wrong, value).version;
        return sum;
      }
      : async (store, { order, wrong }) => {
        let sum = 0;
        for (let index = 0; index < order.length; index++) sum += (await store.cas(keys[order[index]], wrong, value)).version;
        return sum;
      },
    check: (store, { order, sum }, computed, version) => {
      mustBe('the versions that the keys had', computed, sum);
      checkVersion(store, version, 0);
      for (const number of order) mustBe('a value that nobody overwrote', store.get(keys[number])[0], firstByteFor(number));
    },
  };
}

/** @param {any} store @param {string[]} asked @param {number} index @param {Uint8Array} value */
const createSync = (store, asked, index, value) => won(store.casSync(asked[index], 0, value));
/** @param {any} store @param {string[]} asked @param {number} index @param {Uint8Array} value */
const create = async (store, asked, index, value) => won(await store.cas(asked[index], 0, value));

/** @param {'memory' | 'buffered'} mode */
function casJob(mode) {
  return async (/** @type {Context} */ context) => {
    const isSync = mode === 'memory';
    const what = isSync ? 'casSync' : 'await cas';
    const { bare } = CALLS[mode];
    const operations = context.operations(isSync ? 20_000 : 10_000);
    const random = createRandom(context.seed);
    const thousand = createKeys(context.keys(1_000));
    const many = createKeys(context.keys(10_000));
    const barePut = isSync ? 'putSync' : 'put';
    const besideName = isSync ? 'putSync' : 'await put';
    const size = isSync ? 0 : await sizeOfCommits(context, thousand, PROBES, async (store) => {
      for (let count = 0; count < PROBES; count++) await store.cas(thousand[0], store.getEntry(thousand[0]).version, valueFor(1));
    });
    const floor = isSync ? undefined : floorBeside(context, mode, size, operations);
    const base = { valueSize: VALUE_SIZE, durability: mode };
    const threshold = { ok: 2_000, stretch: 50_000 };
    const overwrites = workOn(context, mode, operations, incrementsScenario(thousand, bare, isSync ? putSync : put, random, true));
    /** @type {Row[]} */
    const rows = [
      { ...base, name: 'cas/sequential_success', what: `getEntry, ${what}`, keys: thousand.length, threshold,
        work: workOn(context, mode, operations, casScenario(thousand, random, isSync)), beside: { [`get, ${besideName}`]: overwrites, ...floor?.beside } },
      { ...base, name: 'cas/retry_until_success', what: `getEntry, ${what}, every second one again`, keys: thousand.length, threshold,
        work: workOn(context, mode, operations, casRetriedScenario(thousand, random, isSync)), beside: { [`get, ${besideName}`]: overwrites } },
      { ...base, name: 'cas/failure_wrong_version', what, keys: thousand.length,
        work: workOn(context, mode, operations, casLostScenario(thousand, random, isSync), 0) },
      { ...base, name: 'cas/create_new_key', what: `${what} of version 0`, keys: many.length, threshold,
        work: workOn(context, mode, operations, putsScenario(many, 1, bare, isSync ? createSync : create, undefined, true)),
        beside: { [besideName]: workOn(context, mode, operations, putsScenario(many, 1, bare, bareOf(1, barePut, ''), undefined, true)), ...floor?.beside } },
    ];
    return { rows, dispose: () => floor?.close() };
  };
}

// ── snapshot_read ──────────────────────────────────────────────────────────────────────────────────────────────────

/** Reads through a target: a store, a transaction or a snapshot. @param {any} target @param {string[]} keys @param {Uint32Array} order @param {number} start @param {number} end */
function readsThrough(target, keys, order, start, end) {
  let sum = 0;
  for (let index = start; index < end; index++) sum += target.get(keys[order[index]])[0];
  return sum;
}

/** @param {any} store @param {number} count @param {(target: any, index: number) => number} body */
function snapshots(store, count, body) {
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const snapshot = store.snapshot();
    sum += body(snapshot, index);
    snapshot.close();
  }
  return sum;
}

/** Reads of `size` keys at a time. @param {string[]} keys @param {number} size @param {Loop} loop @param {{ below(limit: number): number }} random @returns {Scenario<Uint32Array>} */
function readOnlyScenario(keys, size, loop, random) {
  return {
    keys,
    plan: (operations) => uniformOrder(operations * size, keys.length, random),
    run: (store, order, operations) => loop(store, operations, (target, index) => readsThrough(target, keys, order, index * size, (index + 1) * size)),
    check: (store, order, computed, version) => {
      mustBe('the fold', computed, sumOf(order));
      checkVersion(store, version, 0);
    },
  };
}

/** Puts a value and reads it: the transaction must see its own. @param {string[]} keys @param {Loop} loop @param {(target: any, key: string, value: Uint8Array) => any} write @param {{ below(limit: number): number }} random @returns {Scenario<Uint32Array>} */
function ownWritesScenario(keys, loop, write, random) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => uniformOrder(operations, keys.length, random),
    run: (store, order, operations) => loop(store, operations, (target, index) => {
      const key = keys[order[index]];
      value[0] = index & 0xff;
      write(target, key, value);
      return target.get(key)[0];
    }),
    check: (store, order, computed, version) => {
      let sum = 0;
      order.forEach((_, index) => { sum += index & 0xff; });
      mustBe('the fold', computed, sum);
      checkVersion(store, version, order.length);
      const last = new Map(Array.from(order, (number, index) => [number, index & 0xff]));
      for (const [number, byte] of last) mustBe('the value that was put last', store.get(keys[number])[0], byte);
    },
  };
}

/** @param {1_000 | 10_000} scale */
function snapshotReadJob(scale) {
  return async (/** @type {Context} */ context) => {
    const keys = createKeys(context.keys(scale));
    const random = createRandom(context.seed);
    const base = { keys: keys.length, valueSize: VALUE_SIZE, durability: 'memory', threshold: { ok: 10_000, stretch: 50_000 } };
    const operations = context.operations(10_000);
    const work = (/** @type {Scenario<Uint32Array>} */ scenario) => workOn(context, 'memory', operations, scenario);
    /** @type {Row[]} */
    const rows = [
      { ...base, name: `snapshot_read/single_read/${scale}`, what: 'transactSync: get', work: work(readOnlyScenario(keys, 1, transactionsSync, random)), beside: { get: work(readOnlyScenario(keys, 1, bareSync, random)) } },
      { ...base, name: `snapshot_read/multi_read_10/${scale}`, what: 'transactSync: 10 get', work: work(readOnlyScenario(keys, 10, transactionsSync, random)), beside: { '10 get': work(readOnlyScenario(keys, 10, bareSync, random)) } },
      { ...base, name: `snapshot_read/read_only_10/${scale}`, what: 'snapshot, 10 get, close', work: work(readOnlyScenario(keys, 10, snapshots, random)), beside: { '10 get': work(readOnlyScenario(keys, 10, bareSync, random)) } },
      { ...base, name: `snapshot_read/read_your_writes/${scale}`, what: 'transactSync: put, get', work: work(ownWritesScenario(keys, transactionsSync, putIn, random)), beside: { 'putSync, get': work(ownWritesScenario(keys, bareSync, putSync, random)) } },
    ];
    return { rows, dispose: () => undefined };
  };
}

/** The key that has many versions, and one of the same size that has a single one. */
const GROWN = keyFor('many:', 0);
const SINGLE = keyFor('one:', 0);
const LOOKUPS = 50_000;

/**
 * A store in which one key was put and then put `count` times again, with a snapshot of every version but the newest: so all of them are kept. The first byte of a value tells which it is.
 * @param {Context} context @param {number} count @param {string} durability
 */
export async function openVersioned(context, count, durability = 'memory') {
  const store = await openNew(context, durability);
  fill(store, createKeys(context.keys(1_000)));
  store.putSync(SINGLE, valueFor(count));
  const views = [];
  for (let number = 0; number <= count; number++) {
    store.putSync(GROWN, valueFor(number));
    if (number < count) views.push(store.snapshot());
  }
  mustBe('versions that are kept though they are not the newest', store.stats().snapshots.oldVersions, count);
  const shapes = keepShapes(store);
  const close = async () => {
    mustBe('that shapes were kept', shapes !== undefined, true);
    for (const view of views) view.close();
    mustBe('old versions when nobody needs them', store.stats().snapshots.oldVersions, 0);
    await discard(store);
  };
  return { store, views, close };
}

/** Reads one key over and over. @param {any} target @param {string} key @param {number} count */
function readsOf(target, key, count) {
  let sum = 0;
  for (let index = 0; index < count; index++) sum += target.get(key)[0];
  return sum;
}

/**
 * Reads of one key that always give the value of one number.
 * @param {Context} context @param {any} target @param {string} key @param {number} number @returns {Work}
 */
export function readingOf(context, target, key, number) {
  const operations = context.operations(LOOKUPS);
  return { operations, run: () => readsOf(target, key, operations), after: (computed) => mustBe('the fold', computed, operations * firstByteFor(number)) };
}

export const versionedKeys = { grown: GROWN, single: SINGLE };

/** @param {number} wanted */
function afterVersionsJob(wanted) {
  return async (/** @type {Context} */ context) => {
    const count = context.keys(wanted);
    const { store, views, close } = await openVersioned(context, count);
    const transaction = store.begin();
    const base = { name: `snapshot_read/after_versions/${wanted}`, keys: store.stats().keys, valueSize: VALUE_SIZE, durability: 'memory' };
    const oldest = views[0];
    const beside = 'get of a key with one version';
    // What the oldest snapshot sees of a key that was not written since is its newest version: the filled ones are such.
    const unwritten = createKeys(1)[0];
    /** @type {Row[]} */
    const rows = [
      { ...base, what: 'get in a transaction', work: readingOf(context, transaction, GROWN, count), beside: { [beside]: readingOf(context, transaction, SINGLE, count) } },
      { ...base, what: 'get in a snapshot taken before', work: readingOf(context, oldest, GROWN, 0), beside: { [beside]: readingOf(context, oldest, unwritten, 0) } },
    ];
    const dispose = async () => {
      transaction.abort();
      await close();
    };
    return { rows, dispose };
  };
}

// ── conflict_detection ─────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Sessions that take turns: all begin, all read, all put, all commit. Who meets a conflict begins again with the others who did, until nobody is left. Returns the conflicts.
 * @param {any} store @param {string[]} keys @param {Uint32Array} order the key that each session increments, contest after contest @param {number} sessions
 */
function contests(store, keys, order, sessions) {
  const value = new Uint8Array(VALUE_SIZE);
  let conflicts = 0;
  for (let start = 0; start < order.length; start += sessions) {
    let waiting = Array.from({ length: sessions }, (_, session) => keys[order[start + session]]);
    while (waiting.length > 0) {
      const open = waiting.map((key) => ({ key, tx: store.begin(), seen: value }));
      for (const session of open) session.seen = session.tx.get(session.key);
      for (const { key, tx, seen } of open) {
        value.set(seen);
        value[MARK_AT]++;
        tx.put(key, value);
      }
      waiting = [];
      for (const { key, tx } of open) {
        try {
          tx.commitSync();
        } catch (error) {
          if (!(error instanceof ConflictError)) throw error;
          conflicts++;
          waiting.push(key);
        }
      }
    }
  }
  return conflicts;
}

/** @param {string[]} keys @param {number} sessions @param {(index: number) => number} keyOf @returns {Scenario<Uint32Array>} */
function contestsScenario(keys, sessions, keyOf) {
  return {
    keys,
    plan: (operations) => Uint32Array.from({ length: operations }, (_, index) => keyOf(index)),
    run: (store, order) => contests(store, keys, order, sessions),
    check: (store, order, computed, version) => {
      // With one key for all, the first of those who wait wins, so everyone loses to all before.
      const isShared = order[0] === order[sessions - 1] && sessions > 1;
      mustBe('the conflicts', computed, isShared ? (order.length / sessions) * ((sessions * (sessions - 1)) / 2) : 0);
      checkVersion(store, version, order.length);
      checkIncrements(store, keys, order);
    },
  };
}

/** Contenders for one version of a key: exactly one wins. Returns the versions that they won. @param {string[]} keys @param {number} contenders @param {{ below(limit: number): number }} random @returns {Scenario<Uint32Array>} */
function oneWinnerScenario(keys, contenders, random) {
  const value = valueFor(1);
  return {
    keys,
    plan: (operations) => uniformOrder(operations, keys.length, random),
    run: (store, order) => {
      let sum = 0;
      for (let index = 0; index < order.length; index++) {
        const key = keys[order[index]];
        const { version } = store.getEntry(key);
        for (let contender = 0; contender < contenders; contender++) {
          const result = store.casSync(key, version, value);
          if (result.ok) sum += result.version;
        }
      }
      return sum;
    },
    check: (store, order, computed, version) => {
      mustBe('the versions that were won', computed, sumOfVersions(version, order.length));
      checkVersion(store, version, order.length);
      checkPut(store, Array.from(order, (number) => keys[number]), value);
    },
  };
}

const CONTENDERS = 8;

/** @param {Context} context */
async function conflictRows(context) {
  const operations = context.operations(8_000);
  const keys = createKeys(context.keys(1_000));
  const base = { keys: keys.length, valueSize: VALUE_SIZE, durability: 'memory' };
  const random = createRandom(context.seed);
  const work = (/** @type {Scenario<Uint32Array>} */ scenario) => workOn(context, 'memory', operations, scenario);
  const alone = work(contestsScenario(keys, 1, (index) => index % keys.length));
  /** @type {Row[]} */
  const rows = [];
  for (const sessions of [2, 4, 8]) {
    // Each session has a share of the keys of its own.
    const own = (/** @type {number} */ index) => (index % sessions) * Math.floor(keys.length / sessions) + (Math.floor(index / sessions) % Math.floor(keys.length / sessions));
    rows.push({ ...base, name: `conflict_detection/no_contention/${sessions}`, what: `${sessions} sessions in turns: begin, get, put, commitSync`,
      work: work(contestsScenario(keys, sessions, own)), beside: { 'one session (ok 60 %, stretch 80 %)': alone } });
  }
  for (const sessions of [2, 4]) {
    rows.push({ ...base, name: `conflict_detection/high_contention/${sessions}`, what: `${sessions} sessions in turns on one key: begin, get, put, commitSync until it wins`, threshold: { ok: 1_000, stretch: 2_000 },
      work: work(contestsScenario(keys, sessions, () => 0)), beside: { 'one session': alone }, figures: { 'attempts a commit': (sessions + 1) / 2 } });
  }
  rows.push({ ...base, name: 'conflict_detection/cas_one_winner', what: `getEntry, ${CONTENDERS} casSync of one version`, work: work(oneWinnerScenario(keys, CONTENDERS, random)), beside: { 'one contender': work(oneWinnerScenario(keys, 1, random)) } });
  return { rows, dispose: () => undefined };
}

// ── version_growth ─────────────────────────────────────────────────────────────────────────────────────────────────

/** Increments in transactions of a key with `count` versions that are kept. @param {Context} context @param {number} count @returns {Work} */
function growingWork(context, count) {
  const operations = context.operations(10_000);
  /** @type {Awaited<ReturnType<typeof openVersioned>>} */
  let versioned;
  let version = 0;
  const value = new Uint8Array(VALUE_SIZE);
  const increment = (/** @type {any} */ tx) => {
    value.set(tx.get(GROWN));
    value[MARK_AT]++;
    tx.put(GROWN, value);
    return value[0];
  };
  return {
    operations,
    before: async () => {
      versioned = await openVersioned(context, count);
      version = versioned.store.stats().version;
    },
    run: () => transactionsSync(versioned.store, operations, increment),
    after: async (computed) => {
      mustBe('the fold', computed, operations * firstByteFor(count));
      checkVersion(versioned.store, version, operations);
      mustBe('the increments', versioned.store.get(GROWN)[MARK_AT], (UNMARKED + operations) & 0xff);
      versioned.views.forEach((view, number) => mustBe('the version that a snapshot sees', view.get(GROWN)[0], firstByteFor(number)));
      await versioned.close();
    },
  };
}

/** Reads of one key, each in another of the snapshots. @param {any[]} views @param {string} key @param {Uint32Array} order */
function readsInViews(views, key, order) {
  let sum = 0;
  for (let index = 0; index < order.length; index++) sum += views[order[index]].get(key)[0];
  return sum;
}

/** @param {number} wanted */
function growthJob(wanted) {
  return async (/** @type {Context} */ context) => {
    const count = context.keys(wanted);
    const { store, views, close } = await openVersioned(context, count);
    const base = { keys: store.stats().keys, valueSize: VALUE_SIZE, durability: 'memory' };
    const order = uniformOrder(context.operations(LOOKUPS), views.length, createRandom(context.seed));
    const reading = (/** @type {string} */ key, /** @type {number} */ expected) => ({
      operations: order.length, run: () => readsInViews(views, key, order), after: (/** @type {number} */ computed) => mustBe('the fold', computed, expected),
    });
    /** @type {Row[]} */
    const rows = [
      { ...base, name: `version_growth/txn_after_versions/${wanted}`, what: 'transactSync: get, put', work: growingWork(context, count), beside: { 'a key with one version': growingWork(context, 0) } },
      { ...base, name: `version_growth/snapshot_read_versioned/${wanted}`, what: 'get in a snapshot of each version', work: reading(GROWN, sumOf(order)),
        beside: { 'a key with one version': reading(SINGLE, order.length * firstByteFor(count)) } },
    ];
    return { rows, dispose: close };
  };
}

/** Each job runs in a process of its own. @type {Record<string, (context: Context) => Promise<{ rows: Row[], dispose: () => unknown }>>} */
export const jobs = {
  'transaction_commit/memory': commitJob('memory'),
  'transaction_commit/buffered': commitJob('buffered'),
  'transaction_commit/strict': commitJob('strict'),
  'cas/memory': casJob('memory'),
  'cas/buffered': casJob('buffered'),
  'snapshot_read/1000': snapshotReadJob(1_000),
  'snapshot_read/10000': snapshotReadJob(10_000),
  'snapshot_read/after_versions/10': afterVersionsJob(10),
  'snapshot_read/after_versions/100': afterVersionsJob(100),
  'snapshot_read/after_versions/1000': afterVersionsJob(1_000),
  'snapshot_read/after_versions/10000': afterVersionsJob(10_000),
  'conflict_detection': conflictRows,
  'version_growth/100': growthJob(100),
  'version_growth/1000': growthJob(1_000),
  'version_growth/10000': growthJob(10_000),
};

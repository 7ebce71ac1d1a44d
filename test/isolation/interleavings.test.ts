/**
 * Every interleaving of two and three short transactions: of the small sets all, of the large ones a share that another seed moves on; `npm run isolation -- --interleavings` plays all. And
 * the power goes at every operation of the device while they are played.
 */
import { afterAll, expect, test } from 'vitest';
import { Stage, addFigures, noFigures, playAll } from '../support/interleavings.js';
import { playSet, SETS } from '../support/interleaving-sets.js';
import { ALL, choices, programsOf, schedulesOf, transaction, type Op } from '../support/programs.js';
import { seedOf } from '../support/random.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { hasSerialOrder, type Played } from '../support/serial-orders.js';
import { openStore } from '../support/stores.js';
import { TransactionRules } from '../support/transaction-rules.js';

const total = noFigures();
const crash = { interleavings: 0, images: 0 };
const seed = seedOf(0);
const WHOLE = { index: 0, count: 1 };

test.each(SETS)('$name: each finds what the rules say, and a serial order explains it (T1 to T16)', (set) => {
  const figures = playSet(set, { index: seed % set.shareOf, count: set.shareOf });
  addFigures(total, figures);
  expect(figures.conflicts, 'transactions met').toBeGreaterThan(figures.interleavings / 1000);
});

test('a power loss at any operation of the device leaves what was committed before the step or behind it (T1, T14; F-01, F-09)', () => {
  let images: Uint8Array[] = [];
  let disk: SimulatedDisk;
  const examine = (image: Uint8Array, allowed: readonly (readonly number[])[]): void => {
    crash.images++;
    const store = openStore(new SimulatedDisk(image), { flushInterval: 3_600_000 }, 2);
    const found = stage.stateOf(store).join(' ');
    if (!allowed.some((state) => state.join(' ') === found)) throw new Error(`after a power loss the state is ${found}, and not ${allowed.map((state) => state.join(' ')).join(' or ')}`);
  };
  const stage: Stage = new Stage({
    device: () => {
      disk = new SimulatedDisk();
      disk.onOperation = (_, operation) => {
        if (operation !== 'read') images.push(disk.image('none'), disk.image('all'));
      };
      return disk;
    },
    onWorld: () => {
      images = [];
    },
    onStep: (before, after) => {
      const within = images;
      images = [];
      if (within.length === 0) return;
      for (const image of within) examine(image, [before, after]);
      examine(disk.image('none'), [after]);
    },
  });
  playAll(stage, choices(programsOf(ALL, 1), 2), [['serializable'], ['snapshot']], { index: seed % 40, count: 40 });
  crash.interleavings = stage.figures.interleavings;
  expect(crash.images).toBeGreaterThan(crash.interleavings);
});

test('every order is there, once', () => {
  const orders = schedulesOf([4, 4]).map((schedule) => schedule.join(''));
  expect(new Set(orders).size).toBe(70);
  expect(schedulesOf([3, 3, 3])).toHaveLength(1680);
  expect([...orders].sort()[0]).toBe('00001111');
  // Of a pair and its mirror image one is chosen, and every pair with a scan.
  expect([...choices(programsOf(ALL, 1), 2)].length).toBeLessThan((programsOf(ALL, 1).length * (programsOf(ALL, 1).length + 1)) / 2);
});

const get = (place: number): Op => ({ kind: 'get', place });
const put = (place: number): Op => ({ kind: 'put', place, isBrief: false });

test('the judges are no formality: what no store may do is recognized', () => {
  const played = (ops: Op[], findings: (number | undefined)[], begin: number, end: number, value: number): Played => ({ ops, findings, values: ops.map(() => value), begin, end });
  const none = new Set<number>();
  // Write skew, a lost update, a read that comes too late for real time, and one that mixes two states.
  const skew = [played([get(0), put(1)], [1, undefined], 0, 4, 10), played([get(1), put(0)], [2, undefined], 1, 5, 20)];
  expect(hasSerialOrder(skew, [20, 10, 0, 0], none)).toBe(false);
  expect(hasSerialOrder([played([get(0), put(0)], [1, undefined], 0, 4, 10), played([get(0), put(0)], [1, undefined], 1, 5, 20)], [20, 2, 0, 0], none)).toBe(false);
  expect(hasSerialOrder([played([put(0)], [undefined], 0, 1, 10), played([get(0)], [1], 2, 3, 20)], [10, 2, 0, 0], none)).toBe(false);
  expect(hasSerialOrder([played([put(0)], [undefined], 0, 3, 10), played([get(0)], [1], 2, 4, 20)], [10, 2, 0, 0], none)).toBe(true);
  expect(hasSerialOrder([played([put(0), put(1)], [undefined, undefined], 0, 3, 10), played([get(0), get(1)], [10, 2], 1, 4, 20)], [10, 10, 0, 0], none)).toBe(false);
  const rules = new TransactionRules([1, 1, 0, 0], 1, false);
  const [first, second] = [rules.begin('serializable'), rules.begin('snapshot')];
  expect([rules.does(first, get(0), 10), rules.does(second, get(0), 20)]).toEqual([1, 1]);
  rules.does(first, put(1), 11);
  rules.does(second, put(0), 21);
  expect([rules.verdict(first), rules.verdict(second)]).toEqual(['commits', 'commits']);
  expect(rules.commit(second)).toBe(2);
  expect(rules.verdict(first)).toBe('conflicts');
});

test('and a store that forgets what was read is caught', () => {
  const skew = [transaction(get(0), put(1)), transaction(get(1), put(0))];
  expect(() => playAll(new Stage({ actual: 'snapshot' }), [skew], [['serializable']], WHOLE)).toThrow('a transaction commits where it conflicts');
  expect(() => playAll(new Stage({ actual: 'serializable' }), [skew], [['snapshot']], WHOLE)).toThrow('a transaction conflicts where it commits');
  const right = new Stage();
  playAll(right, [skew], [['snapshot']], WHOLE);
  expect(right.figures.skews, 'write skew is allowed under snapshot, and happens').toBeGreaterThan(10);
});

afterAll(() => {
  process.stdout.write(`interleavings: ${total.interleavings} played, ${total.commits} commits, ${total.conflicts} conflicts, ${total.mismatches} cas that failed, ${total.skews} with write skew under snapshot; ${crash.images} crash states in ${crash.interleavings} (VARVE_SEED moves the shares on)\n`);
});

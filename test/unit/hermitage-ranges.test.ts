/** The anomalies of the Hermitage list that speak of predicates, on scanned ranges of the store and of keyspaces, under both levels: no phantoms under serializable, stable reads under both. */
import { describe, expect, test } from 'vitest';
import type { Isolation } from '../../src/index.js';
import { begin, does, ends, ONLY_SNAPSHOT, put, reads, remove, SETTINGS, tell, type Story, type Values } from '../support/stories.js';

const LEVELS: readonly Isolation[] = ['serializable', 'snapshot'];
const BEGINNING = { 'n:1': 10, 'n:2': 20, 'o:1': 0 };

type Range = { readonly prefix: string } | { readonly gte: string; readonly lt: string };

/** The same keys in two ways: a predicate is read by a prefix as by bounds. */
const RANGES: readonly { readonly way: string; readonly all: Range }[] = [
  { way: 'a prefix', all: { prefix: 'n:' } },
  { way: 'bounds', all: { gte: 'n:', lt: 'n;' } },
];

/** Scans a range to its end, and finds exactly these keys with these values, in order. */
const scans = (id: number, range: Range, expected: Values) =>
  does(id, `scan ${JSON.stringify(range)}`, 'n:', (view) => expect([...view.scan(range)].map(({ key, value }) => [key, value])).toEqual(Object.entries(expected)));

const FIRST = { 'n:1': 10, 'n:2': 20 };

function storiesOf(all: Range): Story[] {
  return [
    {
      name: 'PMP, predicate many preceders: a phantom is not seen, and who only read commits',
      steps: [...begin(1, 2), scans(1, all, FIRST), put(2, 'n:3', 30), ends(2, 'commits'), scans(1, all, FIRST), ends(1, 'commits')],
      final: { ...BEGINNING, 'n:3': 30 },
    },
    {
      name: 'PMP with a write elsewhere: a phantom in what was scanned is a conflict',
      steps: [...begin(1, 2), scans(1, all, FIRST), put(2, 'n:3', 30), ends(2, 'commits'), scans(1, all, FIRST), put(1, 'o:1', 2), ends(1, ONLY_SNAPSHOT)],
      final: { serializable: { ...BEGINNING, 'n:3': 30 }, snapshot: { ...BEGINNING, 'n:3': 30, 'o:1': 2 } },
    },
    {
      name: 'PMP for writes: who deletes what a scan found, and another has changed, fails',
      steps: [...begin(1, 2), scans(1, all, FIRST), put(1, 'n:1', 20), put(1, 'n:2', 30), scans(2, all, FIRST), remove(2, 'n:2'), ends(1, 'commits'), ends(2, 'conflicts')],
      final: { ...BEGINNING, 'n:1': 20, 'n:2': 30 },
    },
    {
      name: 'a delete in what was scanned is a conflict too',
      steps: [...begin(1, 2), scans(1, all, FIRST), remove(2, 'n:2'), ends(2, 'commits'), scans(1, all, FIRST), put(1, 'o:1', 2), ends(1, ONLY_SNAPSHOT)],
      final: { serializable: { 'n:1': 10, 'o:1': 0 }, snapshot: { 'n:1': 10, 'o:1': 2 } },
    },
    {
      name: 'a range that was empty counts',
      steps: [...begin(1, 2), scans(1, { gte: 'n:3', lt: 'n:5' }, {}), put(2, 'n:4', 40), ends(2, 'commits'), put(1, 'o:1', 2), ends(1, ONLY_SNAPSHOT)],
      final: { serializable: { ...BEGINNING, 'n:4': 40 }, snapshot: { ...BEGINNING, 'n:4': 40, 'o:1': 2 } },
    },
    {
      name: 'what is committed beside the range is no conflict: its upper bound is not in it',
      steps: [...begin(1, 2), scans(1, { gte: 'n:1', lt: 'n:3' }, FIRST), put(2, 'n:3', 30), put(2, 'n:0', 5), ends(2, 'commits'), put(1, 'o:1', 2), ends(1, 'commits')],
      final: { ...BEGINNING, 'n:0': 5, 'n:3': 30, 'o:1': 2 },
    },
    {
      name: 'and its lower bound is',
      steps: [...begin(1, 2), scans(1, { gte: 'n:1', lt: 'n:3' }, FIRST), put(2, 'n:1', 11), ends(2, 'commits'), put(1, 'o:1', 2), ends(1, ONLY_SNAPSHOT)],
      final: { serializable: { ...BEGINNING, 'n:1': 11 }, snapshot: { ...BEGINNING, 'n:1': 11, 'o:1': 2 } },
    },
    {
      name: 'OTV: a scan that began after a commit sees all of it, and nothing of a later one',
      steps: [
        ...begin(1, 2), put(1, 'n:1', 11), put(1, 'n:3', 19), ends(1, 'commits'), ...begin(3), scans(3, all, { 'n:1': 11, 'n:2': 20, 'n:3': 19 }),
        put(2, 'n:4', 18), ends(2, 'commits'), scans(3, all, { 'n:1': 11, 'n:2': 20, 'n:3': 19 }), ends(3, 'commits'),
      ],
      final: { ...BEGINNING, 'n:1': 11, 'n:3': 19, 'n:4': 18 },
    },
    {
      name: 'G-single, read skew: a get and a scan come from one point in time',
      steps: [...begin(1, 2), reads(1, { 'n:1': 10 }), put(2, 'n:1', 12), put(2, 'n:2', 18), put(2, 'n:3', 30), ends(2, 'commits'), scans(1, all, FIRST), ends(1, 'commits')],
      final: { ...BEGINNING, 'n:1': 12, 'n:2': 18, 'n:3': 30 },
    },
    {
      name: 'G-single-dependencies: a later scan shows nothing of what an earlier one could not see',
      steps: [...begin(1, 2), scans(1, all, FIRST), put(2, 'n:1', 12), ends(2, 'commits'), scans(1, { gte: 'n:1', lt: 'n:2' }, { 'n:1': 10 }), put(1, 'o:1', 2), ends(1, ONLY_SNAPSHOT)],
      final: { serializable: { ...BEGINNING, 'n:1': 12 }, snapshot: { ...BEGINNING, 'n:1': 12, 'o:1': 2 } },
    },
    {
      name: 'G2, write skew by ranges: each adds what the other has looked for',
      steps: [...begin(1, 2), scans(1, all, FIRST), scans(2, all, FIRST), put(1, 'n:3', 30), put(2, 'n:4', 42), ends(1, 'commits'), ends(2, ONLY_SNAPSHOT)],
      final: { serializable: { ...BEGINNING, 'n:3': 30 }, snapshot: { ...BEGINNING, 'n:3': 30, 'n:4': 42 } },
    },
    {
      name: 'G2 with two edges, the anomaly that only a reader shows',
      steps: [
        ...begin(1, 2), scans(1, all, FIRST), scans(2, all, FIRST), put(2, 'n:2', 25), ends(2, 'commits'),
        ...begin(3), scans(3, all, { 'n:1': 10, 'n:2': 25 }), ends(3, 'commits'), put(1, 'n:1', 0), ends(1, ONLY_SNAPSHOT),
      ],
      final: { serializable: { ...BEGINNING, 'n:2': 25 }, snapshot: { ...BEGINNING, 'n:1': 0, 'n:2': 25 } },
    },
    {
      name: 'own writes show in a scan, in order, and are no conflict with themselves (T4)',
      steps: [...begin(1), put(1, 'n:15', 15), remove(1, 'n:2'), put(1, 'n:1', 11), scans(1, all, { 'n:1': 11, 'n:15': 15 }), ends(1, 'commits')],
      final: { 'n:1': 11, 'n:15': 15, 'o:1': 0 },
    },
  ];
}

for (const setting of SETTINGS) {
  for (const { way, all } of RANGES) {
    describe.each(LEVELS)(`${setting}, by ${way}, under %s`, (isolation) => {
      test.each(storiesOf(all))('$name', (story) => tell(story, isolation, BEGINNING, setting));
    });
  }
}

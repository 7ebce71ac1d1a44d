/** The anomalies of the Hermitage list by name, on keys of the store and across keyspaces, under both levels: what each read finds, which commit goes through, and what is left. */
import { describe, test } from 'vitest';
import type { Isolation } from '../../src/index.js';
import { abort, begin, ends, ONLY_SERIALIZABLE, ONLY_SNAPSHOT, put, reads, remove, SETTINGS, tell, type Story } from '../support/stories.js';

const LEVELS: readonly Isolation[] = ['serializable', 'snapshot'];
const BEGINNING = { a: 10, b: 20 };

const STORIES: readonly Story[] = [
  {
    name: 'G0, write cycles: the writes of two transactions do not mix',
    steps: [...begin(1, 2), put(1, 'a', 11), put(2, 'a', 12), put(1, 'b', 21), ends(1, 'commits'), put(2, 'b', 22), ends(2, ONLY_SERIALIZABLE)],
    final: { serializable: { a: 12, b: 22 }, snapshot: { a: 11, b: 21 } },
  },
  {
    name: 'G1a, aborted reads: what was aborted is never seen',
    steps: [...begin(1, 2), put(1, 'a', 101), reads(2, { a: 10, b: 20 }), abort(1), reads(2, { a: 10, b: 20 }), put(2, 'b', 21), ends(2, 'commits')],
    final: { a: 10, b: 21 },
  },
  {
    name: 'G1b, intermediate reads: only the last write of a transaction is ever seen',
    steps: [...begin(1, 2), put(1, 'a', 101), reads(2, { a: 10 }), put(1, 'a', 11), ends(1, 'commits'), ...begin(3), reads(3, { a: 11 }), reads(2, { a: 10 }), ends(2, 'commits'), ends(3, 'commits')],
    final: { a: 11, b: 20 },
  },
  {
    name: 'G1c, circular information flow: neither sees what the other has not committed',
    steps: [...begin(1, 2), put(1, 'a', 11), put(2, 'b', 22), reads(1, { b: 20 }), reads(2, { a: 10 }), ends(1, 'commits'), ends(2, ONLY_SNAPSHOT)],
    final: { serializable: { a: 11, b: 20 }, snapshot: { a: 11, b: 22 } },
  },
  {
    name: 'OTV, an observed transaction does not vanish',
    steps: [
      ...begin(1, 2), put(1, 'a', 11), put(1, 'b', 19), put(2, 'a', 12), ends(1, 'commits'),
      ...begin(3), reads(3, { a: 11 }), put(2, 'b', 18), reads(3, { b: 19 }), ends(2, ONLY_SERIALIZABLE), reads(3, { a: 11, b: 19 }), ends(3, 'commits'),
    ],
    final: { serializable: { a: 12, b: 18 }, snapshot: { a: 11, b: 19 } },
  },
  {
    name: 'PMP, predicate many preceders: a key that was absent stays absent to who looked',
    steps: [...begin(1, 2), reads(1, { a: 10, b: 20, c: undefined }), put(2, 'c', 30), ends(2, 'commits'), reads(1, { a: 10, b: 20, c: undefined }), ends(1, 'commits')],
    final: { a: 10, b: 20, c: 30 },
  },
  {
    name: 'PMP for writes: who deletes by a value that another has changed meanwhile fails',
    steps: [...begin(1, 2), reads(1, { a: 10, b: 20 }), put(1, 'a', 20), put(1, 'b', 30), reads(2, { a: 10, b: 20 }), remove(2, 'b'), ends(1, 'commits'), ends(2, 'conflicts')],
    final: { a: 20, b: 30 },
  },
  {
    name: 'P4, lost update: of two that read and write one key, the second fails',
    steps: [...begin(1, 2), reads(1, { a: 10 }), reads(2, { a: 10 }), put(1, 'a', 11), put(2, 'a', 11), ends(1, 'commits'), ends(2, 'conflicts')],
    final: { a: 11, b: 20 },
  },
  {
    name: 'G-single, read skew: all reads come from one point in time',
    steps: [...begin(1, 2), reads(1, { a: 10 }), reads(2, { a: 10, b: 20 }), put(2, 'a', 12), put(2, 'b', 18), ends(2, 'commits'), reads(1, { b: 20 }), ends(1, 'commits')],
    final: { a: 12, b: 18 },
  },
  {
    name: 'G-single-dependencies: nor does a later look show the change that an earlier one depends on',
    steps: [...begin(1, 2), reads(1, { a: 10, b: 20 }), put(2, 'a', 12), ends(2, 'commits'), reads(1, { a: 10, b: 20 }), put(1, 'c', 30), ends(1, ONLY_SNAPSHOT)],
    final: { serializable: { a: 12, b: 20 }, snapshot: { a: 12, b: 20, c: 30 } },
  },
  {
    name: 'G-single for writes, committed: who writes over what it could not see fails',
    steps: [...begin(1, 2), reads(1, { a: 10 }), reads(2, { a: 10, b: 20 }), put(2, 'a', 12), put(2, 'b', 18), ends(2, 'commits'), reads(1, { b: 20 }), remove(1, 'b'), ends(1, 'conflicts')],
    final: { a: 12, b: 18 },
  },
  {
    name: 'G-single for writes, aborted: and not when the other came to nothing',
    steps: [...begin(1, 2), reads(1, { a: 10 }), put(2, 'a', 12), put(2, 'b', 18), reads(1, { b: 20 }), remove(1, 'b'), abort(2), ends(1, 'commits')],
    final: { a: 10 },
  },
  {
    name: 'G2-item, write skew on keys that exist',
    steps: [...begin(1, 2), reads(1, { a: 10, b: 20 }), reads(2, { a: 10, b: 20 }), put(1, 'a', 11), put(2, 'b', 21), ends(1, 'commits'), ends(2, ONLY_SNAPSHOT)],
    final: { serializable: { a: 11, b: 20 }, snapshot: { a: 11, b: 21 } },
  },
  {
    name: 'G2, anti-dependency cycle on keys that are absent',
    steps: [...begin(1, 2), reads(1, { c: undefined, d: undefined }), reads(2, { c: undefined, d: undefined }), put(1, 'c', 30), put(2, 'd', 42), ends(1, 'commits'), ends(2, ONLY_SNAPSHOT)],
    final: { serializable: { a: 10, b: 20, c: 30 }, snapshot: { a: 10, b: 20, c: 30, d: 42 } },
  },
  {
    name: 'G2 with two edges, the anomaly that only a reader shows',
    steps: [...begin(1, 2), reads(1, { a: 10, b: 20 }), reads(2, { b: 20 }), put(2, 'b', 25), ends(2, 'commits'), ...begin(3), reads(3, { a: 10, b: 25 }), ends(3, 'commits'), put(1, 'a', 0), ends(1, ONLY_SNAPSHOT)],
    final: { serializable: { a: 10, b: 25 }, snapshot: { a: 0, b: 25 } },
  },
];

for (const setting of SETTINGS) {
  describe.each(LEVELS)(`${setting}, under %s`, (isolation) => {
    test.each(STORIES)('$name', (story) => tell(story, isolation, BEGINNING, setting));
  });
}

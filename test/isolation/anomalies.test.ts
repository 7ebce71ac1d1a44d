/** The searchers themselves: each anomaly of the literature, as a history that no store may have, is found and called by its name; and what is allowed is let pass. */
import { expect, test } from 'vitest';
import type { Isolation } from '../../src/index.js';
import { DependencyGraph, type Anomaly } from '../support/dependency-graph.js';
import type { Act, List, ListHistory, Txn } from '../support/list-history.js';
import { versionContradiction } from '../support/version-replay.js';

const listOf = (text: string): List => (text === '-' ? undefined : text.split(' ').map(Number));

/** `r0:1 2` reads, `a0:3` appends, `d0` deletes, `s0-4:0=1 2;3=4` scans the keys from 0 to before 4; `-` is nothing. */
function actOf(text: string): Act {
  const [, kind, key, to, rest] = /^([rads])(\d+)(?:-(\d+))?(?::(.*))?$/.exec(text)!;
  if (kind === 'r') return { kind: 'read', key: Number(key), list: listOf(rest!) };
  if (kind === 'a') return { kind: 'append', key: Number(key), element: Number(rest) };
  if (kind === 'd') return { kind: 'delete', key: Number(key) };
  const found = rest === '-' ? [] : rest!.split(';').map((entry) => entry.split('='));
  return { kind: 'scan', from: Number(key), to: Number(to), keys: found.map(([name]) => Number(name)), lists: found.map(([, list]) => listOf(list!)!) };
}

interface Told {
  readonly acts: string;
  readonly status?: Txn['status'];
  readonly isolation?: Isolation;
  /** When it began and ended, where it did not run beside all others. */
  readonly at?: readonly [number, number];
  /** The versions at which it read and of its commit. */
  readonly versions?: readonly [number, number];
}

/** A history of transactions that ran beside each other, if nothing else is said. */
function history(isolation: Isolation, ...told: readonly (string | Told)[]): ListHistory {
  const txns = told.map((one, number): Txn => {
    const { acts, status = 'committed', isolation: level = isolation, at = [number, told.length + number], versions = [0, 0] }: Told = typeof one === 'string' ? { acts: one } : one;
    return { isolation: level, acts: acts.split(', ').map(actOf), status, invoked: at[0], completed: status === 'unknown' ? Infinity : at[1], begin: versions[0], version: versions[1] };
  });
  return { txns, keyCount: 8, elementCount: 20, eventCount: 2 * told.length };
}

const anomaliesOf = (of: ListHistory): readonly Anomaly[] => new DependencyGraph(of).findings();
const names = (of: ListHistory): string[] => [...new Set(anomaliesOf(of).map(({ name }) => name))];

const END: Told['at'] = [4, 5];

test.each([
  ['G0, writes in two orders', history('serializable', 'a0:1, a1:3', 'a0:2, a1:4', 'r0:1 2, r1:4 3'), ['G0']],
  ['G1a, an aborted read', history('serializable', { acts: 'a0:1', status: 'aborted' }, 'r0:1'), ['G1a']],
  ['G1b, an intermediate read', history('serializable', 'a0:1, a0:2', 'r0:1', 'r0:1 2'), ['G1b']],
  ['G1c, circular information flow', history('serializable', 'a0:1, r1:2', 'a1:2, r0:1'), ['G1c']],
  ['G-single, read skew', history('serializable', 'a0:1, a1:2', 'r0:-, r1:2', 'r0:1, r1:2'), ['G-single']],
  ['G2-item, write skew', history('serializable', 'r0:-, r1:-, a0:1', 'r0:-, r1:-, a1:2', 'r0:1, r1:2'), ['G2-item']],
  ['G2, write skew by a range', history('serializable', 's0-4:-, r0:-, a0:1', 's0-4:-, r1:-, a1:2', 's0-4:0=1;1=2'), ['G2']],
  ['G2-item, the anomaly that only a reader shows', history('serializable', 'r0:-, r1:-, a0:1', 'r1:-, a1:2', 'r0:-, r1:2', 'r0:1, r1:2'), ['G2-item']],
  ['G-nonadjacent, a long fork', history('snapshot', 'r0:-, a0:1', 'r1:-, a1:2', 'r0:1, r1:-', 'r0:-, r1:2', 'r0:1, r1:2'), ['G-nonadjacent']],
  ['P4, a lost update', history('serializable', 'a0:1', 'r0:1, a0:2', 'r0:1, a0:3', 'r0:1 2'), ['lost update', 'lost write']],
  ['P4, of a key that did not exist', history('serializable', 'r0:-, a0:1', 'r0:-, a0:2', 'r0:2'), ['lost update', 'lost write']],
  ['P4, of a delete and an append', history('serializable', 'a0:1', 'r0:1, d0', 'r0:1, a0:2', 'r0:1 2'), ['lost update']],
  ['a lost write', history('serializable', { acts: 'r0:-, a0:1', at: [0, 1] }, { acts: 'r0:-', at: [2, 3] }), ['lost write', 'G-single-realtime']],
  ['a duplicate', history('serializable', 'a0:1', 'r0:1 1'), ['duplicate']],
  ['garbage', history('serializable', 'a0:1', 'r0:1 7'), ['garbage']],
  ['garbage, at another key', history('serializable', 'a0:1', 'r0:1, r1:1'), ['garbage']],
  ['two orders', history('serializable', 'a0:1', 'a0:2', 'a0:3', 'r0:1 2', 'r0:1 3'), ['incompatible order', 'lost write']],
  ['internal, its own append', history('serializable', 'r0:-, a0:1, r0:-', 'r0:1'), ['internal']],
  ['internal, a read that does not repeat', history('serializable', 'r0:-, r0:1', 'a0:1', 'r0:1'), ['internal']],
  ['internal, its own delete in a scan', history('serializable', 'a0:1', 'r0:1, d0, s0-4:0=1'), ['internal']],
  ['G-single in real time, a stale read', history('serializable', { acts: 'r0:-, a0:1', at: [0, 1] }, { acts: 'r0:-', at: [2, 3] }, { acts: 'r0:1', at: END }), ['G-single-realtime']],
  ['and a stale snapshot', history('snapshot', { acts: 'r0:-, a0:1', at: [0, 1] }, { acts: 'r0:-, r1:-, a1:2', at: [2, 3] }, { acts: 'r0:1, r1:2', at: END }), ['G-single-realtime']],
  ['G1c in real time, a read of the future', history('serializable', { acts: 'r0:1', at: [0, 1] }, { acts: 'a0:1', at: [2, 3] }), ['G1c-realtime']],
  ['G0 in real time', history('serializable', { acts: 'a0:1', at: [2, 3] }, { acts: 'a0:2', at: [0, 1] }, { acts: 'r0:1 2', at: END }), ['G0-realtime']],
  ['what a crash took back, seen by one that committed', history('serializable', { acts: 'r0:-, a0:1', status: 'unknown' }, { acts: 'r0:1, r1:-, a1:2', at: [1, 2] }, { acts: 'r0:-, r1:2', at: END }), ['G-single']],
])('%s', (_, of, expected) => {
  expect(names(of)).toEqual(expected);
});

test.each([
  ['write skew under snapshot', history('snapshot', 'r0:-, r1:-, a0:1', 'r0:-, r1:-, a1:2', 'r0:1, r1:2')],
  ['and by a range', history('snapshot', 's0-4:-, r0:-, a0:1', 's0-4:-, r1:-, a1:2', 's0-4:0=1;1=2')],
  ['the anomaly that only a reader shows, under snapshot', history('snapshot', 'r0:-, r1:-, a0:1', 'r1:-, a1:2', 'r0:-, r1:2', 'r0:1, r1:2')],
  ['skew of one of each level, of which the serializable came first', history('serializable', 'r0:-, r1:-, a0:1', { acts: 'r0:-, r1:-, a1:2', isolation: 'snapshot' }, 'r0:1, r1:2')],
  ['a key that comes, goes and comes again', history('serializable', 'r0:-, a0:1', 'r0:1, d0', 'r0:-, a0:2', 'r0:2', 'r0:-')],
  ['a key that is deleted and written in one', history('serializable', 'r0:-, a0:1', 'r0:1, d0, a0:2', 'r0:2', 'r0:-')],
  ['what a crash took back', history('serializable', { acts: 'r0:-, a0:1', status: 'unknown' }, { acts: 'r0:-', at: END })],
  ['and what it left, long after', history('serializable', { acts: 'r0:-, a0:1', status: 'unknown' }, { acts: 'r0:-', at: [1, 2] }, { acts: 'r0:1', at: END })],
  ['reads beside a write, before and after it', history('serializable', 'r0:-, a0:1', 'r0:-', 'r0:1')],
])('allowed: %s', (_, of) => {
  expect(anomaliesOf(of)).toEqual([]);
});

test('write skew under snapshot is seen where it is looked for', () => {
  const skew = new DependencyGraph(history('snapshot', 'r0:-, r1:-, a0:1', 'r0:-, r1:-, a1:2', 'r0:1, r1:2'));
  expect(skew.cycles().count).toBe(0);
  expect(skew.cycles(true)).toEqual({ count: 1, cycles: [{ name: 'G2-item', text: 'T0 —rw→ T1 —rw→ T0' }] });
});

test('a cycle is shown by its shortest way, also through real time', () => {
  const [found] = anomaliesOf(history('serializable', { acts: 'r0:-, a0:1', at: [0, 1] }, { acts: 'r0:-', at: [2, 3] }, { acts: 'r0:1', at: END }));
  expect(found?.text).toBe('T1 —rw→ T0 —realtime→ a moment —realtime→ T1');
});

test('the order of the versions: what the store says of itself is held against what was found', () => {
  const of = (isolation: Isolation, ...told: readonly Told[]): string | undefined => versionContradiction(history(isolation, ...told));
  expect(of('serializable', { acts: 'r0:-, a0:1', versions: [0, 1] }, { acts: 'r0:1, a0:2', versions: [1, 2] }, { acts: 'r0:1 2', versions: [2, 0] })).toBeUndefined();
  expect(of('serializable', { acts: 'r0:-, a0:1', versions: [0, 1] }, { acts: 'r0:1, a0:2', versions: [1, 2] }, { acts: 'r0:1, a0:3', versions: [1, 3] }), 'a lost update').toBe('a transaction that began at version 1 and committed as version 3 found [1] at key 0 where [1 2] was, when it committed');
  expect(of('snapshot', { acts: 'r0:-, a0:1', versions: [0, 1] }, { acts: 'r0:1, a0:2', versions: [1, 2] }, { acts: 'r0:1, a0:3', versions: [1, 3] }), 'a second committer').toBe('a transaction that began at version 1 and committed as version 3 wrote key 0, which had been written since it began');
  expect(of('serializable', { acts: 'a0:1, a1:2', versions: [0, 1] }, { acts: 's0-4:0=1', versions: [1, 0] }), 'a scan that misses a key').toBe('a transaction that began at version 1 found [undefined] at key 1 by a scan where [2] was');
  expect(of('snapshot', { acts: 'r0:-, r1:-, a0:1', versions: [0, 1] }, { acts: 'r0:-, r1:-, a1:2', versions: [0, 2] }), 'write skew').toBeUndefined();
  expect(of('serializable', { acts: 'r0:-, r1:-, a0:1', versions: [0, 1] }, { acts: 'r0:-, r1:-, a1:2', versions: [0, 2] })).toBe('a transaction that began at version 0 and committed as version 2 found [undefined] at key 0 where [1] was, when it committed');
  expect(of('serializable', { acts: 'a0:1', versions: [0, 1] }, { acts: 'a1:2', versions: [0, 1] })).toBe('version 1 was given twice');
});

/** Histories of transactions on lists: each append puts an element that no other append puts, so that a list tells who has written it, and in which order. */
import type { Isolation } from '../../src/index.js';

/** The elements of a key; undefined where it does not exist. */
export type List = readonly number[] | undefined;

/** Keys are numbers in an order, elements are numbers from 0 on. */
export type Act =
  | { readonly kind: 'read'; readonly key: number; readonly list: List }
  /** What a scan of the keys in [from, to) has found, in the order of the keys. */
  | { readonly kind: 'scan'; readonly from: number; readonly to: number; readonly keys: readonly number[]; readonly lists: readonly (readonly number[])[] }
  | { readonly kind: 'append'; readonly key: number; readonly element: number }
  | { readonly kind: 'delete'; readonly key: number };

export interface Txn {
  readonly isolation: Isolation;
  readonly acts: readonly Act[];
  /** Unknown where a crash came before the answer: then it counts as committed exactly if one that has committed saw an append of it. */
  readonly status: 'committed' | 'aborted' | 'unknown';
  /** When it was begun and when its outcome was known: places in one order of all such events. What is unknown has not completed. */
  readonly invoked: number;
  readonly completed: number;
  /** What the store itself says: the version at which it read, and that of its commit, 0 where nothing was written. */
  readonly begin: number;
  readonly version: number;
}

export interface ListHistory {
  readonly txns: readonly Txn[];
  readonly keyCount: number;
  readonly elementCount: number;
  /** How many events there were: `invoked` and `completed` are below. */
  readonly eventCount: number;
}

/** Whether the first elements of a list are those of another. */
export function isPrefix(list: readonly number[], of: readonly number[]): boolean {
  if (list.length > of.length) return false;
  for (let index = 0; index < list.length; index++) if (list[index] !== of[index]) return false;
  return true;
}

export function isSameList(left: List, right: List): boolean {
  return left === undefined || right === undefined ? left === right : left.length === right.length && isPrefix(left, right);
}

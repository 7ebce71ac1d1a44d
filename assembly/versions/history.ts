/**
 * How much of the past is kept, beside what somebody reads: so many versions of each key, and each for so long after it was superseded. What a commit supersedes is kept at once; what
 * goes beyond the limits is given up after the commit, a bounded part at a time.
 */
import { allocate, release as releaseBlock } from '../memory/allocator';
import { KEPT_BY_HISTORY, isKeptFor, oldByRank, supersederOf } from './old';
import { release } from './pins';
import { Clock } from './visible';
import { requires, requiresRange } from '../verify/contract';

export class History {
  static isKept: bool = false;
  /** How many versions of a key are kept, the newest among them. */
  static versions: u32 = 0;
  /** For how long a version is kept when it was superseded, in milliseconds; 0 for ever. */
  static age: u64 = 0;
}

// Versions wait in chunks for their age, in the order in which they were superseded: the next chunk, how many there were ever put in, how many were taken out, and of
// each the hash of its key, the version, its superseder, and when.
const CHUNK_SHIFT: u32 = 12;
const CHUNK_PUT: usize = 4;
const CHUNK_TAKEN: usize = 8;
const CHUNK_ENTRIES: usize = 16;
const ENTRY_SIZE: usize = 32;
const CHUNK_CAPACITY: u32 = 127;
/** How many of them a commit looks at. */
const SWEEP_COUNT: u32 = 8;

class Queue {
  static first: usize = 0;
  static last: usize = 0;
}

export function setHistory(versions: u32, age: u64): void {
  History.isKept = versions > 1;
  History.versions = versions;
  History.age = age;
}

/** Whether no version is ever given up. */
export function isEverythingKept(): bool {
  return History.versions == u32.MAX_VALUE && History.age == 0;
}

/** Makes sure that one more version can wait for its age. False where memory is at its limit. */
export function reserveHistory(): bool {
  if (History.age == 0 || (Queue.last != 0 && load<u32>(Queue.last, CHUNK_PUT) < CHUNK_CAPACITY)) return true;
  const chunk = allocate(CHUNK_SHIFT);
  if (chunk == 0) return false;
  store<u32>(chunk, 0);
  store<u32>(chunk, 0, CHUNK_PUT);
  store<u32>(chunk, 0, CHUNK_TAKEN);
  if (Queue.last == 0) Queue.first = chunk;
  else store<u32>(Queue.last, <u32>chunk);
  Queue.last = chunk;
  return true;
}

/** Notes that a version of a key was superseded just now, by another. */
export function noteSuperseded(hash: u64, version: u64, superseder: u64): void {
  requires(version != 0 && superseder > version);
  if (History.age == 0) return;
  const count = load<u32>(Queue.last, CHUNK_PUT);
  const entry = Queue.last + CHUNK_ENTRIES + <usize>count * ENTRY_SIZE;
  store<u64>(entry, hash);
  store<u64>(entry, version, 8);
  store<u64>(entry, superseder, 16);
  store<u64>(entry, Clock.now, 24);
  store<u32>(Queue.last, count + 1, CHUNK_PUT);
}

/** Gives up what a key has beyond the count, after a commit to it. */
export function trimKey(key: usize, keySize: u32, hash: u64): void {
  requires(History.versions != 0);
  requiresRange(key, keySize);
  for (let rank = History.versions; rank != 0; rank++) {
    const version = oldByRank(key, keySize, hash, rank);
    if (version == 0 || !isKeptFor(hash, version, KEPT_BY_HISTORY)) return;
    if (!release(hash, version, KEPT_BY_HISTORY)) return;
    // What was given up has left its rank to the one before it.
    if (oldByRank(key, keySize, hash, rank) != version) rank--;
  }
}

/** Gives up what has waited long enough, a bounded part of it. */
export function sweep(): void {
  for (let count: u32 = 0; count < SWEEP_COUNT && Queue.first != 0; count++) {
    const chunk = Queue.first;
    const taken = load<u32>(chunk, CHUNK_TAKEN);
    if (taken == load<u32>(chunk, CHUNK_PUT)) {
      if (taken != CHUNK_CAPACITY) return;
      Queue.first = <usize>load<u32>(chunk);
      if (Queue.first == 0) Queue.last = 0;
      releaseBlock(chunk, CHUNK_SHIFT);
      continue;
    }
    const entry = chunk + CHUNK_ENTRIES + <usize>taken * ENTRY_SIZE;
    if (load<u64>(entry, 24) + History.age > Clock.now) return;
    const hash = load<u64>(entry);
    const version = load<u64>(entry, 8);
    // A commit that was taken back may have left a note of what it had superseded.
    if (isKeptFor(hash, version, KEPT_BY_HISTORY) && supersederOf(hash, version) == load<u64>(entry, 16) && !release(hash, version, KEPT_BY_HISTORY)) return;
    store<u32>(chunk, taken + 1, CHUNK_TAKEN);
  }
}

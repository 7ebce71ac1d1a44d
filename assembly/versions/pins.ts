/**
 * Which old versions are still needed. A snapshot or session pins the version at which it reads. A version that is superseded is needed while a pin lies between it and what
 * superseded it; it then goes on the dead list of the newest such pin. When that pin is released, what an older pin needs goes on to that one's list, and the rest may be
 * dropped. So a pin costs O(1) to set, holds exactly what it can see, and releasing it looks only at what it alone may have held. The scheme is that of the dead lists of ZFS
 * (Bonwick, Ahrens, Henson, Maybee, Shellenbaum, 2003), for single versions instead of blocks.
 */
import { Log } from '../log/log';
import { allocateSmall, releaseSmall } from '../memory/small';
import { relieve } from '../paging/evict';
import { KEPT_BY_HISTORY, KEPT_BY_PIN, drop, forgo, isKeptFor, keep, supersederOf } from './old';
import { requires, requiresBlock } from '../verify/contract';

/** A pinned version, and how many hold it. The list is in the order of the versions. */
@unmanaged
export class Pin {
  version: u64;
  previous: Pin | null;
  next: Pin | null;
  count: u32;
  /** The newest chunk of its dead list. */
  dead: u32;
}

const PIN_SHIFT: u32 = 5;
if (offsetof<Pin>() > 32) ERROR('a pin outgrew its room');

// A chunk of a dead list: the next chunk, how many versions it holds, the version of the pin that was released; then of each version the hash of its key, and the version. Not where it
// stands: compaction moves what is kept.
const CHUNK_SHIFT: u32 = 8;
const CHUNK_COUNT: usize = 4;
const CHUNK_RELEASED: usize = 8;
const CHUNK_ENTRIES: usize = 16;
const ENTRY_SHIFT: usize = 4;
const CHUNK_CAPACITY: u32 = 15;

export class Pins {
  static newest: Pin | null = null;
  static oldest: Pin | null = null;
  /** The version of the newest pin; 0 where there is none. */
  static newestVersion: u64 = 0;
  /** Versions in dead lists, those of released pins too. */
  static deadCount: u64 = 0;
  /** Chunks of pins that were released, still to be looked through. */
  static released: usize = 0;
  /** Whether a pin was set below the newest version since there was none. */
  static hasLate: bool = false;
  /** From this version on, nothing that the store showed was given up. */
  static floor: u64 = 0;
}

/** The pin of a version, or null. */
function pinAt(version: u64): Pin | null {
  let pin = Pins.newest;
  while (pin !== null && pin.version > version) pin = pin.previous;
  return pin !== null && pin.version == version ? pin : null;
}

/** Pins a version whose state is kept: the newest of the store, one that is pinned already, or one since which nothing that it sees was given up. Returns the pin; null where memory is at its limit. */
export function pin(version: u64): Pin | null {
  requires(version <= Log.version);
  let found = pinAt(version);
  if (found === null) {
    const block = allocateSmall(PIN_SHIFT);
    if (block == 0) return null;
    found = changetype<Pin>(block);
    found.version = version;
    found.count = 0;
    found.dead = 0;
    insertPin(found);
  }
  found.count++;
  return found;
}

/** Whether a version is pinned. */
export function isPin(version: u64): bool {
  return pinAt(version) !== null;
}

function insertPin(pin: Pin): void {
  requires(pin.count == 0 && pin.dead == 0);
  let before = Pins.newest;
  while (before !== null && before.version > pin.version) before = before.previous;
  const after = before === null ? Pins.oldest : before.next;
  pin.previous = before;
  pin.next = after;
  if (before === null) Pins.oldest = pin;
  else before.next = pin;
  if (after === null) {
    Pins.newest = pin;
    Pins.newestVersion = pin.version;
  } else after.previous = pin;
  if (before === null && after === null && Pins.released == 0) Pins.hasLate = false;
  // What it sees may have been superseded already, and be on the dead list of an older pin, or on none.
  if (pin.version != Log.version) Pins.hasLate = true;
}

/** Releases one holder's share. What nobody else needs is dropped, a bounded part of it at once, the rest by later calls of `reap`. */
export function unpin(held: Pin): void {
  requires(held.count != 0);
  if (--held.count != 0) return;
  const previous = held.previous;
  const next = held.next;
  if (previous === null) Pins.oldest = next;
  else previous.next = next;
  if (next === null) Pins.newest = previous;
  else next.previous = previous;
  Pins.newestVersion = Pins.newest === null ? 0 : Pins.newest!.version;
  let chunk = <usize>held.dead;
  while (chunk != 0) {
    const following = <usize>load<u32>(chunk);
    store<u64>(chunk, held.version, CHUNK_RELEASED);
    store<u32>(chunk, <u32>Pins.released);
    Pins.released = chunk;
    chunk = following;
  }
  releaseSmall(changetype<usize>(held), PIN_SHIFT);
}

/** Whether a version that is about to be superseded is needed. */
export function isPinned(version: u64): bool {
  return version <= Pins.newestVersion && version != 0;
}

/** Makes sure that the newest pin's dead list takes one more version. False where memory is at its limit. */
export function reserveDead(): bool {
  return reserveDeadOf(Pins.newest!);
}

function reserveDeadOf(pin: Pin): bool {
  requires(pin.count != 0);
  if (pin.dead != 0 && load<u32>(pin.dead, CHUNK_COUNT) < CHUNK_CAPACITY) return true;
  const chunk = allocateSmall(CHUNK_SHIFT);
  if (chunk == 0) return false;
  store<u32>(chunk, pin.dead);
  store<u32>(chunk, 0, CHUNK_COUNT);
  pin.dead = <u32>chunk;
  return true;
}

/** The newest pin that sees an old version, or null. O(pins) at worst. */
function seenBy(hash: u64, version: u64): Pin | null {
  const superseder = supersederOf(hash, version);
  let pin = Pins.newest;
  while (pin !== null && pin.version >= superseder) pin = pin.previous;
  return pin !== null && pin.version >= version ? pin : null;
}

/**
 * Takes away a reason to keep an old version, and gives it up where no other is left and no pin sees it. False where memory is at its limit: nothing has changed then.
 */
export function release(hash: u64, version: u64, reason: u64): bool {
  requires(reason == KEPT_BY_PIN || reason == KEPT_BY_HISTORY);
  const heir = reason == KEPT_BY_PIN || !isKeptFor(hash, version, KEPT_BY_PIN) ? seenBy(hash, version) : null;
  if (heir !== null) {
    if (!reserveDeadOf(heir)) return false;
    pushDead(<usize>heir.dead, hash, version);
    keep(hash, version, KEPT_BY_PIN);
    if (reason != KEPT_BY_PIN) forgo(hash, version, reason);
    return true;
  }
  giveUp(hash, version, reason);
  return true;
}

/** Takes away a reason to keep an old version that no pin sees, and gives it up where no other is left. */
function giveUp(hash: u64, version: u64, reason: u64): void {
  const superseder = supersederOf(hash, version);
  if (forgo(hash, version, reason)) return;
  Pins.floor = max<u64>(Pins.floor, superseder);
  drop(hash, version);
}

/** Puts a superseded version on the dead list of the newest pin, for which `reserveDead` made room. */
export function addDead(hash: u64, version: u64): void {
  requires(Pins.newest !== null);
  pushDead(<usize>Pins.newest!.dead, hash, version);
}

function entryIn(chunk: usize, index: u32): usize {
  requires(index < CHUNK_CAPACITY);
  return chunk + CHUNK_ENTRIES + (<usize>index << ENTRY_SHIFT);
}

function pushDead(chunk: usize, hash: u64, version: u64): void {
  requiresBlock(chunk, 256);
  requires(version != 0);
  const count = load<u32>(chunk, CHUNK_COUNT);
  store<u64>(entryIn(chunk, count), hash);
  store<u64>(entryIn(chunk, count), version, 8);
  store<u32>(chunk, count + 1, CHUNK_COUNT);
  Pins.deadCount++;
}

/** Takes so many versions off the newest pin's dead list that were put there last. */
export function removeDead(count: u32): void {
  requires(Pins.newest !== null && Pins.deadCount >= count);
  const newest = Pins.newest!;
  for (; count != 0; count--) {
    while (load<u32>(newest.dead, CHUNK_COUNT) == 0) {
      const chunk = <usize>newest.dead;
      newest.dead = load<u32>(chunk);
      releaseSmall(chunk, CHUNK_SHIFT);
    }
    store<u32>(newest.dead, load<u32>(newest.dead, CHUNK_COUNT) - 1, CHUNK_COUNT);
    Pins.deadCount--;
  }
}

/** The newest pin older than a version. */
function olderThan(version: u64): Pin | null {
  let pin = Pins.newest;
  while (pin !== null && pin.version >= version) pin = pin.previous;
  return pin;
}

/** Looks through at most `chunkCount` chunks of released dead lists. */
export function reap(chunkCount: u32): void {
  for (; chunkCount != 0 && Pins.released != 0; chunkCount--) {
    const chunk = Pins.released;
    const isDone = Pins.hasLate ? reapEach(chunk) : reapTogether(chunk);
    if (!isDone) return;
  }
}

/** What an older pin sees goes on to its list with the chunk; the rest is released. */
function reapTogether(chunk: usize): bool {
  requiresBlock(chunk, 256);
  Pins.released = <usize>load<u32>(chunk);
  const heir = olderThan(load<u64>(chunk, CHUNK_RELEASED));
  const count = load<u32>(chunk, CHUNK_COUNT);
  let kept: u32 = 0;
  for (let index: u32 = 0; index < count; index++) {
    const hash = load<u64>(entryIn(chunk, index));
    const version = load<u64>(entryIn(chunk, index), 8);
    relieve();
    if (heir !== null && version <= heir.version) {
      store<u64>(entryIn(chunk, kept), hash);
      store<u64>(entryIn(chunk, kept), version, 8);
      kept++;
      continue;
    }
    Pins.deadCount--;
    giveUp(hash, version, KEPT_BY_PIN);
  }
  if (kept == 0) {
    releaseSmall(chunk, CHUNK_SHIFT);
    return true;
  }
  store<u32>(chunk, kept, CHUNK_COUNT);
  store<u32>(chunk, heir!.dead);
  heir!.dead = <u32>chunk;
  return true;
}

/** As `reapTogether`, where any pin may see any of them. False where memory is at its limit: the rest waits. */
function reapEach(chunk: usize): bool {
  requiresBlock(chunk, 256);
  for (let count = load<u32>(chunk, CHUNK_COUNT); count != 0; count--) {
    relieve();
    const entry = entryIn(chunk, count - 1);
    if (!release(load<u64>(entry), load<u64>(entry, 8), KEPT_BY_PIN)) return false;
    Pins.deadCount--;
    store<u32>(chunk, count - 1, CHUNK_COUNT);
  }
  Pins.released = <usize>load<u32>(chunk);
  releaseSmall(chunk, CHUNK_SHIFT);
  return true;
}

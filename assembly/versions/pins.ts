/**
 * Which old versions are still needed. A snapshot or session pins the version at which it reads. A version that is superseded is needed while a pin lies between it and what
 * superseded it; it then goes on the dead list of the newest such pin. When that pin is released, what an older pin needs goes on to that one's list, and the rest may be
 * dropped. So a pin costs O(1) to set, holds exactly what it can see, and releasing it looks only at what it alone may have held. The scheme is that of the dead lists of ZFS
 * (Bonwick, Ahrens, Henson, Maybee, Shellenbaum, 2003), for single versions instead of blocks.
 */
import { versionOf } from '../log/record';
import { resolve } from '../log/segment';
import { allocateSmall, releaseSmall } from '../memory/small';
import { drop } from './old';

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

// A chunk of a dead list: the next chunk, how many addresses it holds, the version of the pin that was released, addresses.
const CHUNK_SHIFT: u32 = 8;
const CHUNK_COUNT: usize = 4;
const CHUNK_RELEASED: usize = 8;
const CHUNK_ADDRESSES: usize = 16;
const CHUNK_CAPACITY: u32 = 30;

export class Pins {
  static newest: Pin | null = null;
  static oldest: Pin | null = null;
  /** The version of the newest pin; 0 where there is none. */
  static newestVersion: u64 = 0;
  /** Addresses in dead lists, those of released pins too. */
  static deadCount: u64 = 0;
  /** Chunks of pins that were released, still to be looked through. */
  static released: usize = 0;
}

/** The pin of a version, or null. */
function pinAt(version: u64): Pin | null {
  let pin = Pins.newest;
  while (pin !== null && pin.version > version) pin = pin.previous;
  return pin !== null && pin.version == version ? pin : null;
}

/** Pins a version that is the newest of the store, or pinned already. Returns the pin; null where memory is at its limit, or the version is not kept. */
export function pin(version: u64, isCurrent: bool): Pin | null {
  let found = pinAt(version);
  if (found === null) {
    if (!isCurrent) return null;
    const block = allocateSmall(PIN_SHIFT);
    if (block == 0) return null;
    const fresh = changetype<Pin>(block);
    fresh.version = version;
    fresh.previous = Pins.newest;
    fresh.next = null;
    fresh.count = 0;
    fresh.dead = 0;
    if (Pins.newest === null) Pins.oldest = fresh;
    else Pins.newest!.next = fresh;
    Pins.newest = fresh;
    Pins.newestVersion = version;
    found = fresh;
  }
  found.count++;
  return found;
}

/** Releases one holder's share. What nobody else needs is dropped, a bounded part of it at once, the rest by later calls of `reap`. */
export function unpin(held: Pin): void {
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

/** Makes sure that the newest pin's dead list takes one more address. False where memory is at its limit. */
export function reserveDead(): bool {
  const newest = Pins.newest!;
  if (newest.dead != 0 && load<u32>(newest.dead, CHUNK_COUNT) < CHUNK_CAPACITY) return true;
  const chunk = allocateSmall(CHUNK_SHIFT);
  if (chunk == 0) return false;
  store<u32>(chunk, newest.dead);
  store<u32>(chunk, 0, CHUNK_COUNT);
  newest.dead = <u32>chunk;
  return true;
}

/** Puts a superseded version on the dead list of the newest pin. */
export function addDead(address: u64): void {
  const chunk = <usize>Pins.newest!.dead;
  const count = load<u32>(chunk, CHUNK_COUNT);
  store<u64>(chunk + (<usize>count << 3), address, CHUNK_ADDRESSES);
  store<u32>(chunk, count + 1, CHUNK_COUNT);
  Pins.deadCount++;
}

/** Takes addresses off the newest pin's dead list until only those below `limit` are left of what was put there last. */
export function removeDead(count: u32): void {
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
    Pins.released = <usize>load<u32>(chunk);
    const heir = olderThan(load<u64>(chunk, CHUNK_RELEASED));
    const count = load<u32>(chunk, CHUNK_COUNT);
    let kept: u32 = 0;
    for (let index: u32 = 0; index < count; index++) {
      const address = load<u64>(chunk + (<usize>index << 3), CHUNK_ADDRESSES);
      if (heir !== null && versionOf(resolve(address)) <= heir.version) {
        store<u64>(chunk + (<usize>kept << 3), address, CHUNK_ADDRESSES);
        kept++;
      } else {
        drop(address);
        Pins.deadCount--;
      }
    }
    if (kept == 0) {
      releaseSmall(chunk, CHUNK_SHIFT);
      continue;
    }
    store<u32>(chunk, kept, CHUNK_COUNT);
    store<u32>(chunk, heir!.dead);
    heir!.dead = <u32>chunk;
  }
}

/**
 * The writes of a session that a scan shows, as they were when it began, in the order of their keys. The session leaves the values that it names where they are for as long as a
 * scan of it is open.
 */
import { allocate, release, shiftFor } from '../memory/allocator';
import { isWithin } from '../memory/buffer';
import { ENTRY_DELETED, ENTRY_WRITTEN, Entry, Session, entryKey } from '../sessions/session';
import { entryOf, refOfEntry } from './ref';
import { PAIR_SHIFT, headAt, putPair, sortPairs } from './sort';
import { requires, requiresBlock } from '../verify/contract';

/** One write. */
@unmanaged
export class Own {
  entry: Entry;
  value: u32;
  valueSize: u32;
  kind: u32;
  isDeleted: bool;
}

const OWN_SIZE: usize = 32;
// An overlay: how many writes, the exponent of its block, the writes.
const OVERLAY_SHIFT: usize = 4;
const OVERLAY_HEADER: usize = 8;

if (offsetof<Own>() > OWN_SIZE) ERROR('a write of an overlay outgrew its room');

export function countOfOverlay(overlay: usize): u32 {
  return overlay == 0 ? 0 : load<u32>(overlay);
}

export function ownAt(overlay: usize, index: u32): Own {
  requires(index < countOfOverlay(overlay) || countOfOverlay(overlay) == 0);
  requiresBlock(overlay, OVERLAY_HEADER + <usize>(index + 1) * OWN_SIZE);
  return changetype<Own>(overlay + OVERLAY_HEADER + <usize>index * OWN_SIZE);
}

/** Whether a session writes a key between two bounds. */
function isShown(entry: Entry, low: usize, high: usize): bool {
  requires(entry.keySize != 0);
  return (entry.flags & ENTRY_WRITTEN) != 0 && isWithin(entryKey(entry), entry.keySize, low, high);
}

/** Makes the overlay of a session between two bounds, each a buffer or 0. Returns 0 where memory is at its limit. */
export function makeOverlay(session: Session, low: usize, high: usize): usize {
  let count: u32 = 0;
  for (let entry: Entry | null = session.first; entry !== null; entry = entry!.next) {
    if (isShown(entry!, low, high)) count++;
  }
  const shift = shiftFor(OVERLAY_HEADER + <usize>count * OWN_SIZE);
  const overlay = allocate(shift);
  const pairsShift = shiftFor(<usize>(count + 1) << (PAIR_SHIFT + 1));
  const pairs = overlay == 0 ? 0 : allocate(pairsShift);
  if (pairs == 0) {
    if (overlay != 0) release(overlay, shift);
    return 0;
  }
  let at: u32 = 0;
  for (let entry: Entry | null = session.first; entry !== null; entry = entry!.next) {
    if (isShown(entry!, low, high)) putPair(pairs, at++, headAt(entryKey(entry!), entry!.keySize, 0), refOfEntry(entry!));
  }
  sortPairs(pairs, pairs + (<usize>count << PAIR_SHIFT), count, 0);
  for (let index: u32 = 0; index < count; index++) {
    const entry = entryOf(load<u64>(pairs + (<usize>index << PAIR_SHIFT), 8));
    const own = ownAt(overlay, index);
    own.entry = entry;
    own.value = entry.value;
    own.valueSize = entry.valueSize;
    own.kind = entry.kind;
    own.isDeleted = (entry.flags & ENTRY_DELETED) != 0;
  }
  release(pairs, pairsShift);
  store<u32>(overlay, count);
  store<u32>(overlay, shift, OVERLAY_SHIFT);
  return overlay;
}

export function freeOverlay(overlay: usize): void {
  if (overlay != 0) release(overlay, load<u32>(overlay, OVERLAY_SHIFT));
}

/** The ranges that a session has read: up to where each scan went, also what gave nothing. A commit into one of them since the session began is a conflict. */
import { nextSince, startSince } from '../log/since';
import { keyOf, keySizeOf, versionOf } from '../log/record';
import { bytesOfBuffer, sizeOfBuffer } from '../memory/buffer';
import { compare } from '../memory/bytes';
import { Cursor } from '../order/cursor';
import { recordOf } from '../order/ref';
import { settle } from '../order/build';
import { Place, Tree, countOfLeaf, nameAt, seek } from '../order/tree';
import * as layout from '../shared/layout';
import { STATUS_OK } from '../shared/status';
import { hasExpiredSince } from '../versions/visible';
import { Session, reserve } from './session';
import { requires, requiresRange } from '../verify/contract';

/** A range: from the first key, and before the second unless it is open. The keys follow. */
@unmanaged
export class Range {
  next: Range | null;
  lowSize: u32;
  highSize: u32;
  hasHigh: bool;
}

const RANGE_SIZE: u32 = 16;
if (offsetof<Range>() > RANGE_SIZE) ERROR('a range outgrew its room');

function lowOf(range: Range): usize {
  return changetype<usize>(range) + RANGE_SIZE;
}

function addRange(session: Session, low: usize, lowSize: u32, high: usize, highSize: u32, hasHigh: bool, isHighIncluded: bool): void {
  requires(lowSize == 0 || low != 0);
  requires(highSize == 0 || high != 0);
  const room = reserve(session, RANGE_SIZE + lowSize + highSize + <u32>isHighIncluded);
  if (room == 0) {
    session.readsAll = true;
    return;
  }
  const range = changetype<Range>(room);
  range.next = session.ranges;
  range.lowSize = lowSize;
  range.highSize = highSize + <u32>isHighIncluded;
  range.hasHigh = hasHigh;
  memory.copy(lowOf(range), low, lowSize);
  memory.copy(lowOf(range) + lowSize, high, highSize);
  if (isHighIncluded) store<u8>(lowOf(range) + lowSize + highSize, 0);
  session.ranges = range;
}

/** Notes what a scan has read: the keys that the facade has handed on, and everything between; all of it where the caller was told that there is no more. */
export function noteRange(session: Session, cursor: Cursor): void {
  requires(cursor.session === session && cursor.count <= <u32>layout.CURSOR_ITEM_COUNT);
  const low = cursor.low == 0 ? 0 : bytesOfBuffer(cursor.low);
  const lowSize = cursor.low == 0 ? 0 : sizeOfBuffer(cursor.low);
  const high = cursor.high == 0 ? 0 : bytesOfBuffer(cursor.high);
  const highSize = cursor.high == 0 ? 0 : sizeOfBuffer(cursor.high);
  const consumed = load<u32>(changetype<usize>(cursor), layout.CURSOR_CONSUMED);
  if (cursor.isFinished && consumed > cursor.count) {
    addRange(session, low, lowSize, high, highSize, cursor.high != 0, false);
    return;
  }
  if (consumed == 0) return;
  const item = changetype<usize>(cursor) + layout.CURSOR_ITEMS + <usize>(consumed - 1) * layout.ITEM_SIZE;
  const key = <usize>load<u32>(item, layout.ITEM_KEY);
  const keySize = load<u32>(item, layout.ITEM_KEY_SIZE);
  if (cursor.isReverse) addRange(session, key, keySize, high, highSize, cursor.high != 0, false);
  else addRange(session, low, lowSize, key, keySize, true, true);
}

function holds(range: Range, key: usize, size: u32): bool {
  requiresRange(key, size);
  const low = lowOf(range);
  if (compare(key, size, low, range.lowSize) < 0) return false;
  return !range.hasHigh || compare(key, size, low + range.lowSize, range.highSize) < 0;
}

/** Whether a key of a range that the session has read has expired since by the session's clock: for it, that is a delete. O(keys in the range). */
function hasExpired(range: Range, session: Session): bool {
  requires(Tree.isKept);
  seek(lowOf(range), range.lowSize);
  let leaf = Place.leaf;
  let position = Place.position;
  while (leaf < Tree.leafCount) {
    const record = recordOf(nameAt(leaf, position));
    if (record != 0) {
      if (!holds(range, keyOf(record), keySizeOf(record))) return false;
      if (hasExpiredSince(record, session.clock)) return true;
    }
    if (++position == countOfLeaf(leaf)) {
      leaf++;
      position = 0;
    }
  }
  return false;
}

/** Whether a key was committed since the session began within a range that it has read. O(records committed since), and where values expire, O(keys in the ranges). */
export function areRangesBroken(session: Session): bool {
  for (let scan = session.scans; scan !== null; scan = scan!.next) noteRange(session, scan!);
  if (session.readsAll) return true;
  if (session.ranges === null) return false;
  startSince(session.begin);
  for (let record = nextSince(); record != 0; record = nextSince()) {
    if (versionOf(record) <= session.version || keySizeOf(record) == 0) continue;
    const key = keyOf(record);
    const size = keySizeOf(record);
    for (let range = session.ranges; range !== null; range = range!.next) {
      if (holds(range!, key, size)) return true;
    }
  }
  if (load<u32>(layout.CONTROL_HAS_EXPIRY) == 0) return false;
  // Where there is no memory to look, the answer is the one that does no harm.
  if (settle() != STATUS_OK) return true;
  for (let range = session.ranges; range !== null; range = range!.next) {
    if (hasExpired(range!, session)) return true;
  }
  return false;
}

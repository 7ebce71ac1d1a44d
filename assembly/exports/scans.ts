/** The exports with which ranges are read. A scan is a number for the facade: where it stands. */
import { Windows } from '../memory/windows';
import { relieve } from '../paging/evict';
import { keepAll } from '../paging/scratch';
import { makeBuffer } from '../memory/buffer';
import { Cursor, fillCursor, freeCursor, makeCursor, startCursor } from '../order/cursor';
import { layText } from '../order/text';
import * as layout from '../shared/layout';
import { Session } from '../sessions/session';
import { noteRange } from '../sessions/range';
import { assertHealthy } from '../verify/verify';
import { requires, requiresBlock, requiresRange } from '../verify/contract';

/** Makes a scan as of a version that is pinned, or for a session, which is 0 where there is none. Returns 0 where memory is at its limit. */
export function openScan(version: f64, clock: f64, session: usize, isReverse: bool, hasValues: bool): usize {
  requires(version >= 0);
  if (session == 0) return changetype<usize>(makeCursor(<u64>version, <u64>clock, null, isReverse, hasValues));
  const owner = changetype<Session>(session);
  return changetype<usize>(makeCursor(owner.version, owner.clock, owner, isReverse, hasValues));
}

/** The first `size` bytes of the key window are the lower bound, and part of the range, or the upper, and not. False where memory is at its limit. */
export function boundScan(scan: usize, isHigh: bool, size: u32): bool {
  requiresRange(Windows.key, size);
  requiresBlock(scan, layout.CURSOR_CONSUMED);
  const buffer = makeBuffer(Windows.key, size, false);
  const cursor = changetype<Cursor>(scan);
  if (isHigh) cursor.high = buffer;
  else cursor.low = buffer;
  return buffer != 0;
}

/** Finds the first place. O(log n), and O(k log n) or O(n) for k keys that are new since the last scan. */
export function startScan(scan: usize): i32 {
  requiresBlock(scan, layout.CURSOR_CONSUMED);
  relieve();
  const status = startCursor(changetype<Cursor>(scan));
  assertHealthy();
  return status;
}

/** Fills the batch of a scan. Returns how many items it holds: 0 at the end, or a status. */
export function fillScan(scan: usize, most: u32): i32 {
  requiresBlock(scan, layout.CURSOR_CONSUMED);
  relieve();
  // What a batch points at is read after this has returned.
  keepAll(true);
  const count = fillCursor(changetype<Cursor>(scan), most);
  keepAll(false);
  return count;
}

/**
 * Puts the keys of the batch that was just filled into the key window, as one text, where each has the byte `mark` at `offset` and nothing but ASCII behind it. Returns the size of the text, 0 where they are not such;
 * the items say where in it their keys begin.
 */
export function textOfScan(scan: usize, offset: u32, mark: u32): u32 {
  requiresBlock(scan, layout.CURSOR_CONSUMED);
  return layText(changetype<Cursor>(scan), offset, mark);
}

/** Ends a scan. What it has read counts when its session commits. */
export function closeScan(scan: usize): void {
  requiresBlock(scan, layout.CURSOR_CONSUMED);
  const cursor = changetype<Cursor>(scan);
  const session = cursor.session;
  if (session !== null) {
    noteRange(session, cursor);
    if (session.scans === cursor) session.scans = cursor.next;
    else {
      let before = session.scans!;
      while (before.next !== cursor) before = before.next!;
      before.next = cursor.next;
    }
  }
  freeCursor(cursor);
}

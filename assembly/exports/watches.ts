/** The exports with which commits are watched. A watch is a number for the facade: where it stands. */
import * as puts from '../commit/put';
import { keyOf, keySizeOf } from '../log/record';
import { setU32 } from '../memory/control';
import { relieve } from '../paging/evict';
import { makeBuffer } from '../memory/buffer';
import { Windows } from '../memory/windows';
import * as layout from '../shared/layout';
import { STATUS_ABSENT, STATUS_LAGGED } from '../shared/status';
import { collect } from '../space/live';
import * as watches from '../versions/watch';
import { Watch } from '../versions/watch';
import { requires, requiresBlock, requiresRange } from '../verify/contract';

/** Whether the log still has every commit newer than a version. */
export function canWatchSince(version: f64): bool {
  requires(version >= 0);
  return watches.hasSince(<u64>version);
}

/** Begins a watch of what is newer than a version. Returns 0 where memory is at its limit. */
export function openWatch(since: f64): usize {
  requires(since >= 0);
  return changetype<usize>(watches.openWatch(<u64>since));
}

/** The first `size` bytes of the key window are the lower bound, and part of the range, or the upper, and not. False where memory is at its limit. */
export function boundWatch(watch: usize, isHigh: bool, size: u32): bool {
  requiresRange(Windows.key, size);
  requiresBlock(watch, 128);
  const buffer = makeBuffer(Windows.key, size, false);
  if (isHigh) changetype<Watch>(watch).high = buffer;
  else changetype<Watch>(watch).low = buffer;
  return buffer != 0;
}

/**
 * The next write of the commit that is being read, or with `isNew` the first of the next commit: its kind, with the flag of a tombstone, or STATUS_ABSENT, or STATUS_LAGGED. The control
 * block shows the key as an output, the value and the version.
 */
export function nextWatched(watch: usize, isNew: bool): i32 {
  requiresBlock(watch, 128);
  const reader = changetype<Watch>(watch);
  relieve();
  const record = isNew ? watches.nextCommit(reader) : watches.nextOfCommit(reader);
  if (record == 0) return reader.cursor.isLost ? STATUS_LAGGED : STATUS_ABSENT;
  setU32(layout.CONTROL_OUTPUT_POINTER, <u32>keyOf(record));
  setU32(layout.CONTROL_OUTPUT_SIZE, keySizeOf(record));
  return puts.showVersion(record);
}

/** Ends a watch. */
export function closeWatch(watch: usize): void {
  requiresBlock(watch, 128);
  watches.closeWatch(changetype<Watch>(watch));
  collect(false);
}

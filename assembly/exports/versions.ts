/** The exports for those who read at a version: snapshots and sessions. */
import * as puts from '../commit/put';
import { Log } from '../log/log';
import { Windows } from '../memory/windows';
import { collect } from '../space/live';
import { setU32 } from '../memory/control';
import { relieve } from '../paging/evict';
import { beginChange, endChange } from '../paging/host';
import * as layout from '../shared/layout';
import { setHistory } from '../versions/history';
import { Pin, Pins, isPin, pin as pinVersion, reap, unpin as release } from '../versions/pins';
import { assertHealthy } from '../verify/verify';
import { requires, requiresBlock } from '../verify/contract';

/** Chunks of dead lists that releasing a pin looks through at once; the rest is done by the commits that follow. */
const CHUNKS_AT_ONCE: u32 = 8;

/** Pins the newest version. Returns the pin, 0 where memory is at its limit. O(1). */
export function pinCurrent(): usize {
  const pin = pinVersion(Log.version);
  return pin === null ? 0 : changetype<usize>(pin);
}

/** Whether everything that a version showed is still kept. */
export function isKept(version: f64): bool {
  requires(version >= 0);
  return <u64>version >= Pins.floor || isPin(<u64>version);
}

/** Pins a version that `isKept`. Returns the pin, 0 where memory is at its limit. */
export function pinAt(version: f64): usize {
  requires(version >= 0);
  const pin = pinVersion(<u64>version);
  return pin === null ? 0 : changetype<usize>(pin);
}

/** Keeps so many versions of each key, and each for so many milliseconds after it was superseded, or for ever. To be called before a store is recovered or made. */
export function keepHistory(versions: u32, age: f64): void {
  requires(versions != 0 && age >= 0);
  setHistory(versions, <u64>age);
  if (age > 0) setU32(layout.CONTROL_HAS_EXPIRY, 1);
}

/**
 * The newest version below `before` of the key in the key window: its kind, with the flag of a tombstone where it is a delete, or STATUS_ABSENT. The control block shows value and
 * version. O(log n) in the versions that are kept of the key.
 */
export function versionBefore(keySize: u32, before: f64): i32 {
  requires(before > 0);
  relieve();
  return puts.getBefore(Windows.key, keySize, <u64>before);
}

/** Releases a pin. */
export function unpin(pin: usize): void {
  requiresBlock(pin, 32);
  relieve();
  beginChange();
  release(changetype<Pin>(pin));
  reap(CHUNKS_AT_ONCE);
  collect(false);
  endChange();
  assertHealthy();
}

/** Looks the key in the key window up as of a pinned version, and of a clock. */
export function getAt(keySize: u32, version: f64, clock: f64): i32 {
  requires(version >= 0);
  relieve();
  return puts.getAt(Windows.key, keySize, <u64>version, <u64>clock);
}

/** The exports for those who read at a version: snapshots and sessions. */
import * as puts from '../commit/put';
import { Log } from '../log/log';
import { Windows } from '../memory/windows';
import { collect } from '../space/live';
import { Pin, pin as pinVersion, reap, unpin as release } from '../versions/pins';
import { assertHealthy } from '../verify/verify';

/** Chunks of dead lists that releasing a pin looks through at once; the rest is done by the commits that follow. */
const CHUNKS_AT_ONCE: u32 = 8;

/** Pins the newest version. Returns the pin, 0 where memory is at its limit. O(1). */
export function pinCurrent(): usize {
  const pin = pinVersion(Log.version, true);
  return pin === null ? 0 : changetype<usize>(pin);
}

/** Pins a version that somebody has pinned already. Returns 0 where nobody has. */
export function pinAt(version: f64): usize {
  const pin = pinVersion(<u64>version, <u64>version == Log.version);
  return pin === null ? 0 : changetype<usize>(pin);
}

/** Releases a pin. */
export function unpin(pin: usize): void {
  release(changetype<Pin>(pin));
  reap(CHUNKS_AT_ONCE);
  collect();
  assertHealthy();
}

/** Looks the key in the key window up as of a pinned version, and of a clock. */
export function getAt(keySize: u32, version: f64, clock: f64): i32 {
  return puts.getAt(Windows.key, keySize, <u64>version, <u64>clock);
}

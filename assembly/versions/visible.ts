/** Whether a version is there for a reader: it is no tombstone, and has not expired by the reader's clock. */
import { flagsOf, versionOf } from '../log/record';
import { RECORD_FLAG_EXPIRY, RECORD_FLAG_TOMBSTONE, RECORD_HEADER_SIZE } from '../shared/format';
import { requiresRecord } from '../verify/contract';

/** The clock of those who read what is newest, in epoch milliseconds. It comes from outside, and only where something may expire. */
export class Clock {
  static now: u64 = 0;
}

/** When a record expires, in epoch milliseconds; 0 where it does not. */
export function expiryOf(record: usize): u64 {
  requiresRecord(record);
  return (flagsOf(record) & RECORD_FLAG_EXPIRY) != 0 ? load<u64>(record, RECORD_HEADER_SIZE) : 0;
}

export function isVisible(record: usize, clock: u64): bool {
  requiresRecord(record);
  const flags = flagsOf(record);
  if ((flags & (RECORD_FLAG_TOMBSTONE | RECORD_FLAG_EXPIRY)) == 0) return true;
  return (flags & RECORD_FLAG_TOMBSTONE) == 0 && load<u64>(record, RECORD_HEADER_SIZE) > clock;
}

/** Whether a version that a reader saw by its clock has expired since. For those who check what was read, that is a delete. */
export function hasExpiredSince(record: usize, clock: u64): bool {
  requiresRecord(record);
  const expiry = expiryOf(record);
  return expiry > clock && expiry <= Clock.now;
}

/** The version that a reader is told a key has: 0 where it is not there. */
export function visibleVersion(record: usize, clock: u64): u64 {
  return record != 0 && isVisible(record, clock) ? versionOf(record) : 0;
}

/**
 * Commits of one key: the shortest way from the facade's bytes at the tail to a version that everybody sees. One lookup, one header, one
 * slot; no byte is copied.
 */
import { hashKey } from '../hash/keyhash';
import { Index, find, slotAddress } from '../index/directory';
import { copyWords } from '../memory/bytes';
import { setNumber, setU32 } from '../memory/control';
import { beginChange, endChange } from '../paging/host';
import { Log, appendRecord, blockOf, publishTail, recordOffset } from '../log/log';
import { flagsOf, keyOffset, movedTimeOf, sealRecord, valueOf, valueSizeOf, versionOf } from '../log/record';
import { addressOf } from '../log/segment';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_ABSENT, STATUS_MEMORY_FULL, STATUS_MISMATCH, STATUS_NEED_CEILING } from '../shared/status';
import { pay } from '../compaction/step';
import { collect } from '../space/live';
import { findOld } from '../versions/old';
import { History, sweep } from '../versions/history';
import { Pins, reap } from '../versions/pins';
import { Clock, isVisible, visibleVersion } from '../versions/visible';
import { publish, reserve, tidyKey } from './apply';
import { ensures, requires, requiresRange, requiresRecord } from '../verify/contract';

/** Values up to this size are handed out of an aligned window. A record is followed by more of its segment, so reading whole words stays within memory. */
const SMALL_VALUE_SIZE: u32 = layout.SMALL_VALUE_SIZE;
const window: usize = memory.data(128, 8);

/** Appends a record around the key and value at the tail and shows it. The key was just looked up: `existing` is its record or 0. */
export function commitOne(existing: usize, key: usize, keySize: u32, valueSize: u32, flags: u32): f64 {
  requires(keySize != 0 && (existing & 7) == 0 && Log.version <= Log.ceiling);
  requiresRange(key, keySize);
  if (Log.version >= Log.ceiling) return STATUS_NEED_CEILING;
  if (!reserve(existing, key, keySize)) return STATUS_MEMORY_FULL;
  const segment = Log.segment!;
  const offset = recordOffset();
  const record = blockOf(segment) + offset;
  const version = Log.version + 1;
  const link = existing == 0 ? 0 : slotAddress();
  const size = sealRecord(record, flags, keySize, valueSize, version, link, segment.seed, offset);
  beginChange();
  appendRecord(size);
  Log.version = version;
  publish(record, addressOf(segment.sequence, offset), existing);
  if (Pins.released != 0) reap(1);
  if (History.isKept) {
    tidyKey(record);
    sweep();
  }
  collect(false);
  endChange();
  publishTail();
  pay(1);
  ensures(version == Log.version && Log.version <= Log.ceiling);
  return <f64>version;
}

/** Where the facade put the key of the record at the tail. */
function pendingKey(flags: u32): usize {
  return blockOf(Log.segment) + recordOffset() + keyOffset(flags);
}

/** Puts the key and value that stand at the tail. Returns the version, or a status. O(1). */
export function put(keySize: u32, valueSize: u32, flags: u32): f64 {
  assert(keySize + valueSize <= load<u32>(layout.CONTROL_WRITE_ROOM) && keySize != 0);
  const key = pendingKey(flags);
  return commitOne(find(key, keySize, hashKey(key, keySize)), key, keySize, valueSize, flags);
}

/** Deletes the key that stands at the tail. Returns the version, STATUS_ABSENT when there was nothing to delete, or another status. */
export function del(keySize: u32): f64 {
  assert(keySize <= load<u32>(layout.CONTROL_WRITE_ROOM) && keySize != 0);
  const key = pendingKey(0);
  const existing = find(key, keySize, hashKey(key, keySize));
  if (existing == 0 || !isVisible(existing, Clock.now)) return STATUS_ABSENT;
  return commitOne(existing, key, keySize, 0, format.RECORD_FLAG_TOMBSTONE);
}

/**
 * Puts, or with the tombstone flag deletes, when the key's version is `expected`; 0 means that it does not exist. Otherwise STATUS_MISMATCH, with the
 * version that it has in the control block. Deleting what does not exist, as expected, writes nothing: STATUS_ABSENT.
 */
export function cas(keySize: u32, valueSize: u32, flags: u32, expected: f64): f64 {
  assert(keySize + valueSize <= load<u32>(layout.CONTROL_WRITE_ROOM) && keySize != 0);
  const key = pendingKey(flags);
  const existing = find(key, keySize, hashKey(key, keySize));
  const version = visibleVersion(existing, Clock.now);
  if (<f64>version != expected) {
    setNumber(layout.CONTROL_VERSION, version);
    return STATUS_MISMATCH;
  }
  if ((flags & format.RECORD_FLAG_TOMBSTONE) != 0 && version == 0) return STATUS_ABSENT;
  return commitOne(existing, key, keySize, valueSize, flags);
}

/** Looks up the key at `key`. Returns the kind of its value, which the control block shows, or STATUS_ABSENT. */
export function get(key: usize, keySize: u32): i32 {
  requiresRange(key, keySize);
  return show(find(key, keySize, hashKey(key, keySize)), Clock.now);
}

/** As `get`, as of a version that is pinned, and of a clock. O(log n) in the old versions that are kept of the key; O(1) where the newest is old enough. */
export function getAt(key: usize, keySize: u32, version: u64, clock: u64): i32 {
  requiresRange(key, keySize);
  requires(version <= Log.version);
  const newest = find(key, keySize, hashKey(key, keySize));
  return show(newest == 0 || versionOf(newest) <= version ? newest : findOld(key, keySize, Index.hash, version), clock);
}

/** The newest version of a key below another: its kind, with the flag of a tombstone, or STATUS_ABSENT. */
export function getBefore(key: usize, keySize: u32, before: u64): i32 {
  requires(before != 0);
  requiresRange(key, keySize);
  const newest = find(key, keySize, hashKey(key, keySize));
  const record = newest == 0 || versionOf(newest) < before ? newest : findOld(key, keySize, Index.hash, before - 1);
  if (record == 0) return STATUS_ABSENT;
  setNumber(layout.CONTROL_TIME, movedTimeOf(record));
  return showVersion(record);
}

/** Shows a version, a delete too: its kind, with the flag of a tombstone. */
export function showVersion(record: usize): i32 {
  requiresRecord(record);
  const flags = flagsOf(record);
  setNumber(layout.CONTROL_VERSION, versionOf(record));
  return showValue(valueOf(record), valueSizeOf(record), flags & (format.RECORD_KIND_MASK | format.RECORD_FLAG_LARGE | format.RECORD_FLAG_TOMBSTONE));
}

/** Shows a record, if it is there by a clock. */
function show(record: usize, clock: u64): i32 {
  return record == 0 || !isVisible(record, clock) ? STATUS_ABSENT : showVersion(record);
}

/**
 * Shows a value in the control block and returns its kind. A small one is copied to where it is aligned: the facade copies it on word by word, in half the time that a view of it would
 * take.
 */
export function showValue(value: usize, size: u32, kind: u32): i32 {
  requiresRange(value, size);
  if (size <= SMALL_VALUE_SIZE) {
    copyWords(window, value, size);
    value = window;
  }
  setU32(layout.CONTROL_VALUE_POINTER, <u32>value);
  setU32(layout.CONTROL_VALUE_SIZE, size);
  return <i32>kind;
}

/**
 * The commit of a session: whether what it relied on still holds, and its writes on their way into a batch. Optimistic, by backward validation (Kung, Robinson, 1981): the log's order
 * is the serial order, and a session fails when something that it read was committed after it began.
 */
import { hashKey } from '../hash/keyhash';
import { find } from '../index/directory';
import { makeBatchRoom, partListSize, stageLarge, stagePart, stageRecord } from '../commit/batch';
import { Log } from '../log/log';
import { Expiry, keyOffset, versionOf } from '../log/record';
import { Geometry } from '../log/segment';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { setNumber } from '../memory/control';
import { unpin } from '../versions/pins';
import { Clock, hasExpiredSince, isVisible, visibleVersion } from '../versions/visible';
import { STATUS_CONFLICT, STATUS_MISMATCH, STATUS_OK } from '../shared/status';
import { areRangesBroken } from './range';
import { ENTRY_CAS, ENTRY_CAS_CONTRADICTS, ENTRY_DELETED, ENTRY_READ, ENTRY_WRITTEN, Entry, Session, entryKey } from './session';

/** A value that takes more than this share of a segment goes in parts. */
const PARTS_SHARE_SHIFT: u32 = 3;
/** The least that is worth making a part of, in bytes. */
const PART_SIZE_MIN: u32 = 512;

function newestOf(entry: Entry): usize {
  return find(entryKey(entry), entry.keySize, entry.hash);
}

/**
 * Whether the session may commit. Serializable: no key and no range that it read has a newer commit. Snapshot: no key that it writes has one. A cas is neither; it is checked alone, and
 * where it fails the version that its key has stands in the control block. O(keys met), and nothing where nobody committed since it began.
 */
export function validate(session: Session, isSnapshot: bool): i32 {
  const isUnchanged = Log.version == session.version && load<u32>(layout.CONTROL_HAS_EXPIRY) == 0;
  for (let entry: Entry | null = session.first; entry !== null; entry = entry!.next) {
    const flags = entry.flags;
    const isCas = (flags & ENTRY_CAS) != 0;
    if (isUnchanged && !isCas) continue;
    const newest = newestOf(entry);
    const isRelied = isSnapshot ? (flags & ENTRY_WRITTEN) != 0 && !isCas : (flags & ENTRY_READ) != 0;
    if (isRelied && newest != 0 && (versionOf(newest) > session.version || hasExpiredSince(newest, session.clock))) return STATUS_CONFLICT;
    if (isCas && ((flags & ENTRY_CAS_CONTRADICTS) != 0 || visibleVersion(newest, Clock.now) != entry.expected)) {
      setNumber(layout.CONTROL_VERSION, visibleVersion(newest, Clock.now));
      return STATUS_MISMATCH;
    }
  }
  if (!isUnchanged && !isSnapshot && areRangesBroken(session)) return STATUS_CONFLICT;
  session.staging = session.first;
  session.stagedSize = 0;
  // What it supersedes need not be kept for itself.
  unpin(session.pin!);
  session.pin = null;
  return STATUS_OK;
}

function tailRoom(): u32 {
  return load<u32>(layout.CONTROL_WRITE_ROOM);
}

/** Where key and value of the next record go. */
function tailKey(flags: u32): usize {
  return <usize>load<u32>(layout.CONTROL_WRITE_POINTER) + keyOffset(flags);
}

function stageDelete(entry: Entry): i32 {
  const newest = newestOf(entry);
  if (newest == 0 || !isVisible(newest, Clock.now)) return STATUS_OK;
  const status = makeBatchRoom(entry.keySize, true);
  if (status != STATUS_OK) return status;
  memory.copy(tailKey(0), entryKey(entry), entry.keySize);
  stageRecord(entry.keySize, 0, format.RECORD_FLAG_TOMBSTONE);
  return STATUS_OK;
}

/** Stages what is left of a value in parts, and then the record that lists them. */
function stageInParts(session: Session, entry: Entry): i32 {
  while (session.stagedSize < entry.valueSize) {
    const rest = entry.valueSize - session.stagedSize;
    if (tailRoom() < PART_SIZE_MIN) {
      const status = makeBatchRoom(min<u32>(rest, PART_SIZE_MIN), false);
      if (status != STATUS_OK) return status;
    }
    const size = min<u32>(rest, tailRoom());
    memory.copy(tailKey(0), <usize>entry.value + session.stagedSize, size);
    const status = stagePart(size);
    if (status != STATUS_OK) return status;
    session.stagedSize += size;
  }
  const status = makeBatchRoom(entry.keySize + partListSize() + format.RECORD_EXPIRY_SIZE, false);
  if (status != STATUS_OK) return status;
  memory.copy(tailKey(entry.kind), entryKey(entry), entry.keySize);
  stageLarge(entry.keySize, entry.kind);
  return STATUS_OK;
}

function stageEntry(session: Session, entry: Entry): i32 {
  if ((entry.flags & ENTRY_DELETED) != 0) return stageDelete(entry);
  const size = keyOffset(entry.kind) - format.RECORD_HEADER_SIZE + entry.keySize + entry.valueSize;
  Expiry.next = entry.expiry;
  if (size > tailRoom() && size > Geometry.segmentSize >> PARTS_SHARE_SHIFT) return stageInParts(session, entry);
  const status = makeBatchRoom(size, false);
  if (status != STATUS_OK) return status;
  const key = tailKey(entry.kind);
  memory.copy(key, entryKey(entry), entry.keySize);
  memory.copy(key + entry.keySize, entry.value, entry.valueSize);
  stageRecord(entry.keySize, entry.valueSize, entry.kind);
  return STATUS_OK;
}

/** Stages the writes of a session that was validated, into the batch that was begun. Goes on where a status had stopped it. */
export function stage(session: Session): i32 {
  while (session.staging !== null) {
    const entry = session.staging!;
    if ((entry.flags & ENTRY_WRITTEN) != 0) {
      const status = stageEntry(session, entry);
      if (status != STATUS_OK) return status;
    }
    session.staging = entry.next;
    session.stagedSize = 0;
  }
  return STATUS_OK;
}

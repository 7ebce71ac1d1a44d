/**
 * The commit of a session: whether what it relied on still holds, and its writes on their way into a batch. Optimistic, by backward validation (Kung, Robinson, 1981): the log's order
 * is the serial order, and a session fails when something that it read was committed after it began.
 */
import { find } from '../index/directory';
import { abortBatch, beginBatch, commitBatch, makeBatchRoom, partListSize, stageLarge, stagePart, stageRecord } from '../commit/batch';
import { commitOne } from '../commit/put';
import { Log, makeRoom } from '../log/log';
import { Expiry, keyOffset, versionOf } from '../log/record';
import { Geometry } from '../log/segment';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { PARTS_SHARE_SHIFT, PART_SIZE_MIN } from '../shared/limits';
import { setNumber } from '../memory/control';
import { unpin } from '../versions/pins';
import { Clock, hasExpiredSince, isVisible, visibleVersion } from '../versions/visible';
import { STATUS_CONFLICT, STATUS_MISMATCH, STATUS_OK } from '../shared/status';
import { areRangesBroken } from './range';
import { ENTRY_CAS, ENTRY_CAS_CONTRADICTS, ENTRY_DELETED, ENTRY_READ, ENTRY_WRITTEN, Entry, Session, entryKey } from './session';
import { requires, requiresRange } from '../verify/contract';


function newestOf(entry: Entry): usize {
  requires(entry.keySize != 0);
  return find(entryKey(entry), entry.keySize, entry.hash);
}

/**
 * Whether the session may commit. Serializable: no key and no range that it read has a newer commit. Snapshot: no key that it writes has one. A cas is neither; it is checked alone, and
 * where it fails the version that its key has stands in the control block. O(keys met), and nothing where nobody committed since it began.
 */
function validate(session: Session, isSnapshot: bool): i32 {
  requires(session.pin !== null);
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
  requires((entry.flags & ENTRY_WRITTEN) != 0);
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
  requires(session.stagedSize <= entry.valueSize);
  requiresRange(entry.value, entry.valueSize);
  while (session.stagedSize < entry.valueSize) {
    const rest = entry.valueSize - session.stagedSize;
    if (tailRoom() < <u32>PART_SIZE_MIN) {
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
  requires((entry.flags & ENTRY_WRITTEN) != 0);
  if ((entry.flags & ENTRY_DELETED) != 0) return stageDelete(entry);
  const size = sizeOfWrite(entry.kind, entry.keySize, entry.valueSize);
  Expiry.next = entry.expiry;
  if (goesInParts(size)) return stageInParts(session, entry);
  const status = makeBatchRoom(size, false);
  if (status != STATUS_OK) return status;
  const key = tailKey(entry.kind);
  memory.copy(key, entryKey(entry), entry.keySize);
  memory.copy(key + entry.keySize, entry.value, entry.valueSize);
  stageRecord(entry.keySize, entry.valueSize, entry.kind);
  return STATUS_OK;
}

/** The one write of a session, without the detour of a batch. */
function commitSingle(entry: Entry): f64 {
  requires((entry.flags & ENTRY_WRITTEN) != 0);
  const isDelete = (entry.flags & ENTRY_DELETED) != 0;
  const flags = isDelete ? format.RECORD_FLAG_TOMBSTONE : entry.kind;
  const valueSize = isDelete ? 0 : entry.valueSize;
  const newest = newestOf(entry);
  if (isDelete && (newest == 0 || !isVisible(newest, Clock.now))) return 0;
  const status = makeRoom(sizeOfWrite(flags, entry.keySize, valueSize), 0, isDelete);
  if (status != STATUS_OK) return status;
  const key = tailKey(flags);
  memory.copy(key, entryKey(entry), entry.keySize);
  memory.copy(key + entry.keySize, entry.value, valueSize);
  Expiry.next = entry.expiry;
  return commitOne(newest, key, entry.keySize, valueSize, flags);
}

/** The bytes that a write takes behind the header of its record. */
function sizeOfWrite(flags: u32, keySize: u32, valueSize: u32): u32 {
  return keyOffset(flags) - format.RECORD_HEADER_SIZE + keySize + valueSize;
}

/** Whether a write is so large that it goes in parts. */
function goesInParts(size: u32): bool {
  return size > tailRoom() && size > Geometry.segmentSize >> PARTS_SHARE_SHIFT;
}

function onlyWrite(session: Session): Entry {
  requires(session.writeCount == 1);
  let entry = session.first!;
  while ((entry.flags & ENTRY_WRITTEN) == 0) entry = entry.next!;
  return entry;
}

/**
 * Commits a session that writes: checks what it relied on, and applies its writes as one commit. Returns the version, 0 where nothing had an effect, or a status: STATUS_CONFLICT
 * or STATUS_MISMATCH, with nothing changed; or what the log needs, after which the same call goes on, or `cancel` takes back what was staged.
 */
export function commit(session: Session, isSnapshot: bool): f64 {
  requires(session.writeCount != 0);
  if (session.pin !== null) {
    const verdict = validate(session, isSnapshot);
    if (verdict != STATUS_OK) return verdict;
  }
  if (session.writeCount == 1) {
    const only = onlyWrite(session);
    if (!goesInParts(sizeOfWrite(only.kind, only.keySize, only.valueSize))) return commitSingle(only);
  }
  if (!session.isStaging) {
    const begun = beginBatch();
    if (begun != STATUS_OK) return begun;
    session.isStaging = true;
  }
  const status = stage(session);
  if (status != STATUS_OK) return status;
  session.isStaging = false;
  return commitBatch();
}

/** Takes back what a commit has staged before it was stopped. */
export function cancel(session: Session): void {
  if (session.isStaging) abortBatch();
  session.isStaging = false;
}

/** Stages the writes of a session that was validated, into the batch that was begun. Goes on where a status had stopped it. */
function stage(session: Session): i32 {
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

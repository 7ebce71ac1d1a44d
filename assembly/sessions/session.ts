/**
 * A session: what a transaction has read and written so far, in an arena of its own. Keys stand in one table, so that a read sees the session's own writes with one lookup;
 * entries stand in a list in the order in which their keys were first met. Nothing of a session is in the log before it commits.
 */
import { hashKey } from '../hash/keyhash';
import { alignUp, equal } from '../memory/bytes';
import { allocateSmall, exponentFor, giveBlock, releaseSmall, takeBlock } from '../memory/small';
import { Cursor, freeCursor } from '../order/cursor';
import { Pin } from '../versions/pins';
import { Range } from './range';
import { ensures, requires, requiresBlock, requiresRange } from '../verify/contract';

@unmanaged
export class Session {
  /** The version at which it reads. */
  version: u64;
  /** Null once it commits: then it reads nothing more. */
  pin: Pin | null;
  /** The table of its keys: a pointer to an entry a slot. */
  table: u32;
  tableShift: u32;
  entryCount: u32;
  writeCount: u32;
  first: Entry | null;
  last: Entry | null;
  /** The newest chunk of its arena, and what of it is used. */
  chunk: u32;
  chunkUsed: u32;
  /** While it commits: the next entry to stage, and how much of its value was staged in parts. */
  staging: Entry | null;
  stagedSize: u32;
  isStaging: bool;
  /** The room that `roomFor` has found, before the write counts. */
  target: Entry | null;
  room: u32;
  roomSize: u32;
  /** The session's clock, in epoch milliseconds: what has expired by it is not there. */
  clock: u64;
  /** Where the log ended when it began: what stands behind was committed since. */
  begin: u64;
  /** Its scans that are open, and the ranges that it has read. */
  scans: Cursor | null;
  ranges: Range | null;
  /** Whether it may have read anything, because there was no room to note what. */
  readsAll: bool;
}

/** What a session knows of one key. The key's bytes follow. */
@unmanaged
export class Entry {
  hash: u64;
  /** The version that a cas expects. */
  expected: u64;
  /** When the value expires, in epoch milliseconds, where its kind has that flag. */
  expiry: u64;
  next: Entry | null;
  keySize: u32;
  flags: u32;
  /** The flags of its record. */
  kind: u32;
  value: u32;
  valueSize: u32;
  /** The room that the value stands in, and that of the value before it: they take turns. */
  valueRoom: u32;
  spare: u32;
  spareRoom: u32;
}

export const ENTRY_READ: u32 = 1;
export const ENTRY_WRITTEN: u32 = 2;
export const ENTRY_DELETED: u32 = 4;
export const ENTRY_CAS: u32 = 8;
/** Two cas that expect different versions: one of them cannot hold. */
export const ENTRY_CAS_CONTRADICTS: u32 = 16;

const SESSION_SHIFT: u32 = 7;
const ENTRY_SIZE: u32 = 64;
const TABLE_SHIFT_MIN: u32 = 8;
const SLOT_SHIFT: u32 = 2;
const CHUNK_SHIFT_MIN: u32 = 9;
const CHUNK_SHIFT_MAX: u32 = 18;
// A chunk begins with the chunk before it and the exponent of its size.
const CHUNK_SHIFT: usize = 4;
const CHUNK_HEADER: u32 = 8;

if (offsetof<Session>() > 128 || offsetof<Entry>() > ENTRY_SIZE) ERROR('a session or an entry outgrew its room');

function addChunk(session: Session, shift: u32): bool {
  requires(shift >= CHUNK_SHIFT_MIN);
  const chunk = takeBlock(shift);
  if (chunk == 0) return false;
  store<u32>(chunk, session.chunk);
  store<u32>(chunk, shift, CHUNK_SHIFT);
  session.chunk = <u32>chunk;
  session.chunkUsed = CHUNK_HEADER;
  return true;
}

/** Room in the arena, or 0 where memory is at its limit. */
export function reserve(session: Session, size: u32): usize {
  requires(size != 0 && session.chunk != 0);
  const aligned = alignUp(size);
  const shift = load<u32>(session.chunk, CHUNK_SHIFT);
  if (session.chunkUsed + aligned > <u32>1 << shift) {
    const wanted = max<u32>(min<u32>(shift + 1, CHUNK_SHIFT_MAX), exponentFor(aligned + CHUNK_HEADER));
    if (!addChunk(session, wanted)) return 0;
  }
  const at = <usize>session.chunk + session.chunkUsed;
  session.chunkUsed += aligned;
  ensures((at & 7) == 0 && session.chunkUsed <= <u32>1 << load<u32>(session.chunk, CHUNK_SHIFT));
  return at;
}

/** Begins a session on a pin, at a clock and an end of the log. Null where memory is at its limit. */
export function beginSession(pin: Pin, clock: u64, begin: u64): Session | null {
  requires(pin.count != 0 && begin != 0);
  const block = allocateSmall(SESSION_SHIFT);
  const table = allocateSmall(TABLE_SHIFT_MIN);
  if (block == 0 || table == 0) {
    if (block != 0) releaseSmall(block, SESSION_SHIFT);
    return null;
  }
  memory.fill(block, 0, 1 << SESSION_SHIFT);
  memory.fill(table, 0, 1 << TABLE_SHIFT_MIN);
  const session = changetype<Session>(block);
  session.version = pin.version;
  session.pin = pin;
  session.clock = clock;
  session.begin = begin;
  session.table = <u32>table;
  session.tableShift = TABLE_SHIFT_MIN;
  if (addChunk(session, CHUNK_SHIFT_MIN)) return session;
  releaseSmall(table, TABLE_SHIFT_MIN);
  releaseSmall(block, SESSION_SHIFT);
  return null;
}

/** Gives everything back but the pin. */
export function endSession(session: Session): void {
  requires(!session.isStaging);
  for (let scan = session.scans; scan !== null;) {
    const following: Cursor | null = scan!.next;
    freeCursor(scan!);
    scan = following;
  }
  let chunk = <usize>session.chunk;
  while (chunk != 0) {
    const before = <usize>load<u32>(chunk);
    giveBlock(chunk, load<u32>(chunk, CHUNK_SHIFT));
    chunk = before;
  }
  giveBlock(session.table, session.tableShift);
  releaseSmall(changetype<usize>(session), SESSION_SHIFT);
}

export function entryKey(entry: Entry): usize {
  requiresBlock(changetype<usize>(entry), ENTRY_SIZE);
  return changetype<usize>(entry) + ENTRY_SIZE;
}

function slotOf(session: Session, key: usize, keySize: u32, hash: u64): usize {
  requires(keySize != 0);
  requiresRange(key, keySize);
  const mask = (<u32>1 << (session.tableShift - SLOT_SHIFT)) - 1;
  let position = <u32>hash & mask;
  while (true) {
    const slot = <usize>session.table + (<usize>position << SLOT_SHIFT);
    const at = load<u32>(slot);
    if (at == 0) return slot;
    const entry = changetype<Entry>(<usize>at);
    if (entry.hash == hash && entry.keySize == keySize && equal(entryKey(entry), key, keySize)) return slot;
    position = (position + 1) & mask;
  }
}

function growTable(session: Session): bool {
  requires(session.tableShift >= TABLE_SHIFT_MIN);
  const shift = session.tableShift + 1;
  const table = takeBlock(shift);
  if (table == 0) return false;
  memory.fill(table, 0, <usize>1 << shift);
  giveBlock(session.table, session.tableShift);
  session.table = <u32>table;
  session.tableShift = shift;
  for (let entry: Entry | null = session.first; entry !== null; entry = entry!.next) {
    store<u32>(slotOf(session, entryKey(entry), entry.keySize, entry.hash), <u32>changetype<usize>(entry));
  }
  return true;
}

/** The entry of a key, made where there is none. Null where memory is at its limit. */
export function entryFor(session: Session, key: usize, keySize: u32): Entry | null {
  requires(keySize != 0);
  requiresRange(key, keySize);
  const hash = hashKey(key, keySize);
  let slot = slotOf(session, key, keySize, hash);
  if (load<u32>(slot) != 0) return changetype<Entry>(<usize>load<u32>(slot));
  if ((session.entryCount + 1) * 10 > (<u32>7 << (session.tableShift - SLOT_SHIFT))) {
    if (!growTable(session)) return null;
    slot = slotOf(session, key, keySize, hash);
  }
  const at = reserve(session, ENTRY_SIZE + keySize);
  if (at == 0) return null;
  memory.fill(at, 0, ENTRY_SIZE);
  const entry = changetype<Entry>(at);
  entry.hash = hash;
  entry.keySize = keySize;
  memory.copy(entryKey(entry), key, keySize);
  if (session.last === null) session.first = entry;
  else session.last!.next = entry;
  session.last = entry;
  session.entryCount++;
  store<u32>(slot, <u32>at);
  return entry;
}

/** Room for a value of up to `size` bytes of a key: where it shall stand, or 0. It counts when `finishWrite` is called; until then the key has the value that it had. */
export function roomFor(session: Session, key: usize, keySize: u32, size: u32): usize {
  requires(keySize != 0);
  requiresRange(key, keySize);
  const entry = entryFor(session, key, keySize);
  if (entry === null) return 0;
  session.target = entry;
  // A scan that is open may still show the value that stood there.
  if (session.scans === null && entry.spare != 0 && entry.spareRoom >= size) {
    session.room = entry.spare;
    session.roomSize = entry.spareRoom;
    return session.room;
  }
  session.room = <u32>reserve(session, max<u32>(size, 8));
  session.roomSize = alignUp(max<u32>(size, 8));
  return session.room;
}

/** The value stands in the room that `roomFor` found. */
export function finishWrite(session: Session, size: u32, kind: u32, expiry: u64): void {
  requires(session.target !== null && session.room != 0);
  requires(size <= session.roomSize);
  const entry = session.target!;
  const end = session.room + session.roomSize;
  if (session.room != entry.spare && end == session.chunk + session.chunkUsed) {
    // What a bound had reserved too much.
    const used = max<u32>(alignUp(size), 8);
    session.chunkUsed -= session.roomSize - used;
    session.roomSize = used;
  }
  entry.spare = entry.value;
  entry.spareRoom = entry.valueRoom;
  entry.value = session.room;
  entry.valueRoom = session.roomSize;
  entry.valueSize = size;
  entry.kind = kind;
  entry.expiry = expiry;
  markWritten(session, entry, false);
}

/** Notes that the session writes a key, or deletes it. */
export function markWritten(session: Session, entry: Entry, isDelete: bool): void {
  requires(entry.keySize != 0);
  if ((entry.flags & ENTRY_WRITTEN) == 0) session.writeCount++;
  entry.flags = (entry.flags & ~ENTRY_DELETED) | ENTRY_WRITTEN | (isDelete ? ENTRY_DELETED : 0);
  session.target = entry;
}

/** The write that was noted last holds only if the key has the version `expected` when the session commits. */
export function expectVersion(session: Session, expected: u64): void {
  requires(session.target !== null);
  const entry = session.target!;
  if ((entry.flags & ENTRY_CAS) != 0 && entry.expected != expected) entry.flags |= ENTRY_CAS_CONTRADICTS;
  entry.flags |= ENTRY_CAS;
  entry.expected = expected;
}

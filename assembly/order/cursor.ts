/**
 * A scan: a walk over the keys between two bounds, forwards or backwards, as of one version. It holds its place as a place of the tree, and as a key for when the tree has changed.
 * What it finds it leaves in its batch, a few keys at a time; they stay right as long as the version is pinned. The scan of a session sees the session's writes as they
 * were when it began.
 */
import { guessRecord, touch } from '../index/by-hash';
import { hashKey } from '../hash/keyhash';
import { flagsOf, keyOf, keySizeOf, sizeOf, valueOf, valueSizeOf, versionOf } from '../log/record';
import { allocate, release } from '../memory/allocator';
import { bytesOfBuffer, freeBuffer, makeBuffer, sizeOfBuffer } from '../memory/buffer';
import { compare, copyWords } from '../memory/bytes';
import { Room } from '../paging/room';
import { Session, entryKey } from '../sessions/session';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { findOld } from '../versions/old';
import { isVisible } from '../versions/visible';
import { Own, countOfOverlay, freeOverlay, makeOverlay, ownAt } from './overlay';
import { delist, dropCopy, enlist } from './open';
import { recordOf } from './ref';
import { settle } from './build';
import { Place, Tree, countOfLeaf, isAboveAll, isBelowAll, nameAt, seek } from './tree';
import { ensures, requires, requiresBlock, requiresRange, requiresRecord } from '../verify/contract';

@unmanaged
export class Cursor {
  version: u64;
  /** The scan's clock, in epoch milliseconds. */
  clock: u64;
  session: Session | null;
  /** The next scan of the session. */
  next: Cursor | null;
  isReverse: bool;
  /** Whether values are shown. */
  hasValues: bool;
  /** Whether the walk has come to its end. */
  isFinished: bool;
  /** Whether keys of the tree lie behind the bound at which the walk ends, so that each key is to be held against it. */
  isBounded: bool;
  generation: u32;
  /** Where the walk stands in the tree. */
  leaf: u32;
  position: u32;
  /** The bounds, the second exclusive, and the last key of the tree that was looked at, each a buffer or 0. */
  low: usize;
  high: usize;
  last: usize;
  /** The session's writes, and what is left of them. */
  overlay: usize;
  ownBegin: u32;
  ownEnd: u32;
  /** How many items the batch holds. */
  count: u32;
  /** What its items point at where that has left the log, in a block of its own, or 0. */
  copy: usize;
  copyShift: u32;
  /** Its neighbours among the scans that are open. */
  openBefore: Cursor | null;
  openAfter: Cursor | null;
}

const CURSOR_SHIFT: u32 = 14;
/** The records that a batch points at, in bytes, at which it ends where the log may leave memory: they may have to be copied. */
const BATCH_SIZE_MAX: u32 = 128 << 10;
/** Names that are looked up together, so that their cache misses overlap. */
const GROUP_SIZE: u32 = 16;

const names: usize = memory.data(16 * 8, 8);
const records: usize = memory.data(16 * 4, 8);

/** The group that was looked up: how many names, and which is next. */
class Group {
  static count: u32 = 0;
  static next: u32 = 0;
  static touched: u64 = 0;
  /** Whether the walk has come to its bound. */
  static hasEnded: bool = false;
  /** The newest record of the key that was looked at last. */
  static newest: usize = 0;
}

if (offsetof<Cursor>() > <usize>layout.CURSOR_CONSUMED) ERROR('a cursor outgrew its room');
if (layout.CURSOR_ITEMS + layout.CURSOR_ITEM_COUNT * layout.ITEM_SIZE > 1 << 14) ERROR('the batch of a cursor outgrew its room');

/** Makes a scan as of a version, which somebody has pinned. Null where memory is at its limit. Give it its bounds, then call `startCursor`. */
export function makeCursor(version: u64, clock: u64, session: Session | null, isReverse: bool, hasValues: bool): Cursor | null {
  const block = allocate(CURSOR_SHIFT);
  if (block == 0) return null;
  memory.fill(block, 0, layout.CURSOR_ITEMS);
  const cursor = changetype<Cursor>(block);
  cursor.version = version;
  cursor.clock = clock;
  cursor.isReverse = isReverse;
  cursor.hasValues = hasValues;
  cursor.session = session;
  if (session !== null) {
    cursor.next = session.scans;
    session.scans = cursor;
  }
  enlist(cursor);
  return cursor;
}

/** Gives a scan back; the caller takes it off the list of its session. */
export function freeCursor(cursor: Cursor): void {
  requiresBlock(changetype<usize>(cursor), 1 << CURSOR_SHIFT);
  delist(cursor);
  freeBuffer(cursor.low);
  freeBuffer(cursor.high);
  freeBuffer(cursor.last);
  freeOverlay(cursor.overlay);
  release(changetype<usize>(cursor), CURSOR_SHIFT);
}

/** Begins the walk: O(log n), beside what settling the tree takes. */
export function startCursor(cursor: Cursor): i32 {
  requires(!cursor.isFinished && cursor.overlay == 0);
  const status = settle();
  if (status != STATUS_OK) return status;
  const session = cursor.session;
  if (session !== null && session.writeCount != 0) {
    cursor.overlay = makeOverlay(session, cursor.low, cursor.high);
    if (cursor.overlay == 0) return STATUS_MEMORY_FULL;
    cursor.ownEnd = countOfOverlay(cursor.overlay);
  }
  findPlace(cursor);
  return STATUS_OK;
}

/** Finds where the walk begins or goes on. Where it ends is seen when it is there: another search would cost as much as twenty keys. */
function findPlace(cursor: Cursor): void {
  cursor.generation = Tree.generation;
  const begin = cursor.last != 0 ? cursor.last : cursor.isReverse ? cursor.high : cursor.low;
  Place.leaf = cursor.isReverse ? Tree.leafCount : 0;
  Place.position = 0;
  if (begin != 0) seek(bytesOfBuffer(begin), sizeOfBuffer(begin));
  cursor.leaf = Place.leaf;
  cursor.position = Place.position;
  cursor.isBounded = cursor.isReverse ? cursor.low != 0 && !isBelowAll(bytesOfBuffer(cursor.low), sizeOfBuffer(cursor.low)) : cursor.high != 0 && !isAboveAll(bytesOfBuffer(cursor.high), sizeOfBuffer(cursor.high));
}

function isTreeDone(cursor: Cursor): bool {
  return cursor.isReverse ? cursor.leaf == 0 && cursor.position == 0 : cursor.leaf >= Tree.leafCount;
}

/** Whether the walk has come to its bound: what is at a key, and behind it, is not its any more. */
function isBehind(cursor: Cursor, key: usize, size: u32): bool {
  requires((cursor.isReverse ? cursor.low : cursor.high) != 0);
  requiresRange(key, size);
  const bound = cursor.isReverse ? cursor.low : cursor.high;
  const order = compare(key, size, bytesOfBuffer(bound), sizeOfBuffer(bound));
  return cursor.isReverse ? order < 0 : order >= 0;
}

/** Takes the next name of the tree, in the direction of the scan. */
function takeName(cursor: Cursor): u64 {
  requires(!isTreeDone(cursor));
  if (cursor.isReverse) {
    if (cursor.position == 0) cursor.position = countOfLeaf(--cursor.leaf);
    return nameAt(cursor.leaf, --cursor.position);
  }
  const name = nameAt(cursor.leaf, cursor.position);
  if (++cursor.position == countOfLeaf(cursor.leaf)) {
    cursor.leaf++;
    cursor.position = 0;
  }
  return name;
}

/** Looks the next names up, at most `most`. */
function takeGroup(cursor: Cursor, most: u32): void {
  let count: u32 = 0;
  let touched: u64 = 0;
  const limit = min<u32>(most, GROUP_SIZE);
  while (count < limit && !isTreeDone(cursor)) {
    const name = takeName(cursor);
    store<u64>(names + (<usize>count << 3), name);
    touched += touch(name);
    count++;
  }
  // First the slots, then the records that they name, and only then is anything waited for.
  for (let index: u32 = 0; index < count; index++) store<u32>(records + (<usize>index << 2), <u32>guessRecord(load<u64>(names + (<usize>index << 3))));
  for (let index: u32 = 0; index < count; index++) {
    const record = <usize>load<u32>(records + (<usize>index << 2));
    touched += load<u64>(record) + load<u64>(record, 64) + load<u64>(record, 128);
  }
  Group.touched = touched;
  for (let index: u32 = 0; index < count; index++) store<u32>(records + (<usize>index << 2), <u32>recordOf(load<u64>(names + (<usize>index << 3))));
  Group.count = count;
  Group.next = 0;
}

/** The version of a key that the scan sees, or 0. */
function seenOf(newest: usize, version: u64, clock: u64): usize {
  requiresRecord(newest);
  let seen = newest;
  if (versionOf(newest) > version) {
    const key = keyOf(newest);
    const size = keySizeOf(newest);
    seen = findOld(key, size, hashKey(key, size), version);
  }
  return seen != 0 && isVisible(seen, clock) ? seen : 0;
}

/** The next record of the tree that the scan sees, or 0 at the end; at most `most` names are looked up ahead. */
function nextSeen(cursor: Cursor, most: u32): usize {
  while (!Group.hasEnded) {
    if (Group.next == Group.count) {
      takeGroup(cursor, most);
      if (Group.count == 0) return 0;
    }
    const newest = <usize>load<u32>(records + (<usize>Group.next << 2));
    Group.next++;
    if (newest == 0) continue;
    if (cursor.isBounded && isBehind(cursor, keyOf(newest), keySizeOf(newest))) {
      // Nothing of the tree is left: the walk stands where it came to its bound.
      Group.next--;
      Group.hasEnded = true;
      return 0;
    }
    Group.newest = newest;
    const seen = seenOf(newest, cursor.version, cursor.clock);
    if (seen != 0) return seen;
  }
  return 0;
}

function putItem(cursor: Cursor, key: usize, keySize: u32, value: usize, valueSize: u32, kind: u32, version: u64): void {
  requires(cursor.count < <u32>layout.CURSOR_ITEM_COUNT);
  requiresRange(key, keySize);
  requiresRange(value, valueSize);
  const item = changetype<usize>(cursor) + layout.CURSOR_ITEMS + <usize>cursor.count * layout.ITEM_SIZE;
  cursor.count++;
  store<u32>(item, <u32>key, layout.ITEM_KEY);
  store<u32>(item, keySize, layout.ITEM_KEY_SIZE);
  showItemValue(item, value, valueSize, cursor.hasValues);
  store<u32>(item, kind, layout.ITEM_KIND);
  store<f64>(item, <f64>version, layout.ITEM_VERSION);
}

/** Shows the value of an item: a small one where it is aligned, as a lookup does. */
function showItemValue(item: usize, value: usize, size: u32, hasValues: bool): void {
  requiresRange(value, size);
  if (hasValues && size <= <u32>layout.ITEM_ROOM_SIZE) {
    copyWords(item + layout.ITEM_ROOM, value, size);
    value = item + layout.ITEM_ROOM;
  }
  store<u32>(item, <u32>value, layout.ITEM_VALUE);
  store<u32>(item, size, layout.ITEM_VALUE_SIZE);
}

function putRecord(cursor: Cursor, record: usize): void {
  requiresRecord(record);
  putItem(cursor, keyOf(record), keySizeOf(record), valueOf(record), valueSizeOf(record), flagsOf(record) & (format.RECORD_KIND_MASK | format.RECORD_FLAG_LARGE), versionOf(record));
}

/** The session's next write, in the direction of the scan, or null. */
function peekOwn(cursor: Cursor): Own | null {
  if (cursor.ownBegin == cursor.ownEnd) return null;
  return ownAt(cursor.overlay, cursor.isReverse ? cursor.ownEnd - 1 : cursor.ownBegin);
}

function takeOwn(cursor: Cursor): void {
  requires(cursor.ownBegin < cursor.ownEnd);
  if (cursor.isReverse) cursor.ownEnd--;
  else cursor.ownBegin++;
}

function putOwn(cursor: Cursor, own: Own): void {
  if (!own.isDeleted) putItem(cursor, entryKey(own.entry), own.entry.keySize, own.value, own.valueSize, own.kind & format.RECORD_KIND_MASK, 0);
}

/** Gives the names back that were taken and not looked at. */
function giveBack(cursor: Cursor): void {
  while (Group.next < Group.count) {
    Group.count--;
    if (cursor.isReverse) {
      if (++cursor.position > countOfLeaf(cursor.leaf)) {
        cursor.leaf++;
        cursor.position = 1;
      }
    } else {
      if (cursor.position == 0) cursor.position = countOfLeaf(--cursor.leaf);
      cursor.position--;
    }
  }
}

/** Notes the last key of the tree that was handed on, so that the walk can go on when the tree has changed. */
function noteLast(cursor: Cursor, newest: usize): bool {
  if (newest == 0) return true;
  freeBuffer(cursor.last);
  cursor.last = makeBuffer(keyOf(newest), keySizeOf(newest), !cursor.isReverse);
  return cursor.last != 0;
}

/** Fills the batch with at most `most` items. Returns how many, 0 at the end, or a status. */
export function fillCursor(cursor: Cursor, most: u32): i32 {
  requires(most != 0 && most <= <u32>layout.CURSOR_ITEM_COUNT);
  cursor.count = 0;
  dropCopy(cursor);
  store<u32>(changetype<usize>(cursor), 0, layout.CURSOR_CONSUMED);
  if (cursor.isFinished) return 0;
  if (cursor.generation != Tree.generation) {
    // What has come since is newer than the scan, but the places are no more where they were.
    const status = Tree.isKept && !Tree.isChanging ? STATUS_OK : settle();
    if (status != STATUS_OK) return status;
    findPlace(cursor);
  }
  Group.count = 0;
  Group.next = 0;
  Group.hasEnded = false;
  let record: usize = 0;
  let last: usize = 0;
  let size: u32 = 0;
  while (cursor.count < most) {
    if (record == 0) record = nextSeen(cursor, most - cursor.count);
    const own = peekOwn(cursor);
    if (record == 0 && own === null) break;
    let order: i32 = -1;
    if (own !== null) {
      order = record == 0 ? 1 : compare(keyOf(record), keySizeOf(record), entryKey(own.entry), own.entry.keySize);
      if (record != 0 && cursor.isReverse) order = -order;
    }
    if (order >= 0) {
      takeOwn(cursor);
      putOwn(cursor, own!);
    } else putRecord(cursor, record);
    if (order > 0) continue;
    last = Group.newest;
    record = 0;
    size += sizeOf(last);
    if (Room.isPaged && size > BATCH_SIZE_MAX && cursor.count != 0) most = cursor.count;
  }
  // A record that was found and not put is found again.
  if (record != 0) Group.next--;
  giveBack(cursor);
  ensures(cursor.count <= most && Group.next == Group.count);
  if (cursor.count < most) cursor.isFinished = true;
  else if (!noteLast(cursor, last)) return STATUS_MEMORY_FULL;
  return cursor.count;
}

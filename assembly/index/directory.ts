/**
 * The hash index: extendible hashing (Fagin, Nievergelt, Pippenger, Strong, 1979) over pages of open addressing.
 *
 *     hash    63 ────────── directory ──────────┐ … tag window …                 ┌── home ── 0
 *     entry   page pointer | local depth            slot   tag (16) | address (48)
 *
 * The highest bits of a key's hash choose a page through the directory, the lowest ten its home slot in the page. When a page is
 * seven tenths full it alone is split in two, so the index never stops for long and never keeps two tables.
 * The tag holds the five lowest bits of the home slot and a window of eleven hash bits, which moves on by eight bits for every eight levels:
 * a split takes the next bit, and nearly always the home slot, out of the tag, and so touches no record.
 * A lookup that hits costs two cache misses: slot and record. The directory, 16 KiB for a million keys, stays in the cache.
 */
import { hashKey } from '../hash/keyhash';
import { keyOf, keySizeOf } from '../log/record';
import { FIELD_MASK, resolve, segmentOf } from '../log/segment';
import { peek } from '../paging/fault';
import { allocate, release } from '../memory/allocator';
import { equal } from '../memory/bytes';
import { ensures, requires, requiresAddress, requiresBlock, requiresRange } from '../verify/contract';

const PAGE_SHIFT: u32 = 13;
export const PAGE_SIZE: usize = 1 << PAGE_SHIFT;
const SLOT_COUNT: u32 = 1024;
export const SLOT_MASK: u32 = SLOT_COUNT - 1;
/** Slots in use at which a page is split: beyond, misses would walk over several cache lines. */
const SLOT_COUNT_FULL: u32 = 717;
/** Slots in use that a page is made for when the count of keys is known: few pages then split by chance. */
const SLOT_COUNT_EXPECTED: u32 = 620;
export const ENTRY_SHIFT: u32 = 3;
const DIRECTORY_SHIFT_MIN: u32 = 12;
export const DEPTH_MASK: u32 = 63;
const WINDOW_STEP_MASK: u32 = ~7;
const WINDOW_BITS: u32 = 11;
const HOME_LOW_BITS: u32 = 5;
const HOME_LOW_MASK: u32 = (1 << HOME_LOW_BITS) - 1;
const DEPTH_MAX: u32 = 32;
export const TAG_SHIFT: u64 = 48;
/** What a key that is taken out leaves in its slot: a tag without an address. It must not be 0, which ends a search, and so no tag of the key: of one in 65,536 keys that is 0. */
export const SLOT_REMOVED: u64 = 1 << TAG_SHIFT;

export class Index {
  static directory: usize = 0;
  static directoryShift: u32 = DIRECTORY_SHIFT_MIN;
  /** The directory has 2^depth entries. */
  static depth: u32 = 0;
  static pageCount: u32 = 0;
  static scratch: usize = 0;
  /** A page that a split has taken and not yet put into the directory. */
  static spare: usize = 0;
  /** The slot of the last lookup: of the key, or where it would go. */
  static slot: usize = 0;
  /** The hash of the last lookup. */
  static hash: u64 = 0;
}

/** Makes an empty index that takes `keyCount` keys nearly without a split. */
export function createIndex(keyCount: u64): bool {
  requires(Index.directory == 0 || Index.pageCount != 0);
  let depth: u32 = 0;
  while (depth < DEPTH_MAX && <u64>SLOT_COUNT_EXPECTED << depth < keyCount) depth++;
  Index.depth = depth;
  Index.directoryShift = max<u32>(DIRECTORY_SHIFT_MIN, depth + ENTRY_SHIFT);
  Index.directory = allocate(Index.directoryShift);
  Index.scratch = allocate(PAGE_SHIFT);
  if (Index.directory == 0 || Index.scratch == 0) return false;
  Index.pageCount = 1 << depth;
  for (let number: u32 = 0; number < Index.pageCount; number++) {
    const page = allocate(PAGE_SHIFT);
    if (page == 0) return false;
    memory.fill(page, 0, PAGE_SIZE);
    store<u64>(Index.directory + (<usize>number << ENTRY_SHIFT), <u64>page | <u64>depth);
  }
  return true;
}

/** Makes a directory without pages, for those of an image, of which some may be deeper than it. */
export function openDirectory(depth: u32): bool {
  if (depth > DEPTH_MAX) return false;
  Index.depth = depth;
  Index.directoryShift = max<u32>(DIRECTORY_SHIFT_MIN, depth + ENTRY_SHIFT);
  Index.directory = allocate(Index.directoryShift);
  Index.scratch = allocate(PAGE_SHIFT);
  if (Index.directory == 0 || Index.scratch == 0) return false;
  memory.fill(Index.directory, 0, <usize>1 << Index.directoryShift);
  return true;
}

/** Makes the directory so deep. False where memory is at its limit. */
export function deepenDirectory(depth: u32): bool {
  requires(Index.directory != 0);
  if (depth > DEPTH_MAX) return false;
  while (Index.depth < depth) if (!doubleDirectory()) return false;
  return true;
}

/** The entry of the directory for the highest bits of a hash. */
export function pageEntry(prefix: u32): usize {
  return entryFor(<u64>prefix << 32);
}

/** The page of an entry, made where there is none; 0 where memory is at its limit. */
export function openPage(entry: usize, depth: u32): usize {
  requiresBlock(entry, 8);
  requires(depth <= Index.depth);
  const word = load<u32>(entry);
  if (word != 0) return <usize>word & ~(PAGE_SIZE - 1);
  const page = allocate(PAGE_SHIFT);
  if (page == 0) return 0;
  memory.fill(page, 0, PAGE_SIZE);
  const span = <usize>1 << (Index.depth - depth);
  for (let at = entry; at < entry + (span << ENTRY_SHIFT); at += 1 << ENTRY_SHIFT) store<u32>(at, <u32>page | depth);
  Index.pageCount++;
  return page;
}

export function indexSize(): u64 {
  return (<u64>Index.pageCount << PAGE_SHIFT) + (<u64>1 << Index.directoryShift);
}

/** The entry of the directory that a hash falls into. */
export function entryFor(hash: u64): usize {
  requires(Index.directory != 0 && Index.depth <= DEPTH_MAX);
  // A shift by 64 is a shift by 0 in Wasm, so an index of depth 0 takes its one entry through the mask.
  const mask = (<u64>1 << Index.depth) - 1;
  return Index.directory + (<usize>((hash >> (64 - Index.depth)) & mask) << ENTRY_SHIFT);
}

/** The tag of a hash in a page of some depth. */
export function tagFor(hash: u64, depth: u32): u64 {
  requires(depth <= DEPTH_MAX);
  const window = (hash >> (64 - WINDOW_BITS - (depth & WINDOW_STEP_MASK))) & ((1 << WINDOW_BITS) - 1);
  return ((<u64>(<u32>hash & HOME_LOW_MASK)) << WINDOW_BITS) | window;
}

function makeSlot(hash: u64, depth: u32, address: u64): u64 {
  requiresAddress(address);
  return (tagFor(hash, depth) << TAG_SHIFT) | address;
}

/**
 * Looks a key up. Returns its newest record in memory, or 0; leaves the slot in `Index.slot` for `setSlot` and `insert`.
 * Two cache misses for a hit, one for a miss.
 */
export function find(key: usize, keySize: u32, hash: u64): usize {
  requires(keySize != 0);
  requiresRange(key, keySize);
  const entry = load<u32>(entryFor(hash));
  const page = <usize>entry & ~(PAGE_SIZE - 1);
  const tag = tagFor(hash, entry & DEPTH_MASK);
  let position = <u32>hash & SLOT_MASK;
  Index.hash = hash;
  while (true) {
    const at = page + (<usize>position << 3);
    const slot = load<u64>(at);
    if (slot == 0) {
      Index.slot = at;
      return 0;
    }
    if (slot >> TAG_SHIFT == tag && (slot & FIELD_MASK) != 0) {
      const record = resolve(slot & FIELD_MASK);
      if (record != 0 && keySizeOf(record) == keySize && equal(keyOf(record), key, keySize)) {
        Index.slot = at;
        return record;
      }
    }
    position = (position + 1) & SLOT_MASK;
  }
}

/** As `find`, leaving `Index.slot` and `Index.hash` alone. */
export function findHashed(key: usize, keySize: u32): usize {
  requires(keySize != 0);
  requiresRange(key, keySize);
  const slot = Index.slot;
  const hash = Index.hash;
  const record = find(key, keySize, hashKey(key, keySize));
  Index.slot = slot;
  Index.hash = hash;
  return record;
}

/** The address in the slot that the last lookup left. */
export function slotAddress(): u64 {
  requiresBlock(Index.slot, 8);
  return load<u64>(Index.slot) & FIELD_MASK;
}

/** Points the slot of the key that was just found at another record. */
export function setSlot(address: u64): void {
  requiresAddress(address);
  requiresBlock(Index.slot, 8);
  store<u64>(Index.slot, (load<u64>(Index.slot) & ~FIELD_MASK) | address);
}

/** The entry that keeps the count of a page: the first of those that point at it. */
function canonicalEntry(hash: u64): usize {
  requires(Index.directory != 0);
  const entry = entryFor(hash);
  const depth = load<u32>(entry) & DEPTH_MASK;
  const position = (entry - Index.directory) >> ENTRY_SHIFT;
  const span = Index.depth - depth;
  return Index.directory + (((position >> span) << span) << ENTRY_SHIFT);
}

/** Makes sure that the key that was just missed can be inserted: `Index.slot` is right afterwards. False where memory is at its limit. */
export function reserveSlot(key: usize, keySize: u32): bool {
  requires(keySize != 0);
  requiresRange(key, keySize);
  const hash = Index.hash;
  let entry = canonicalEntry(hash);
  if (load<u32>(entry, 4) < SLOT_COUNT_FULL) return true;
  while (load<u32>(entry, 4) >= SLOT_COUNT_FULL) {
    if (!splitOrRebuild(entry, hash)) {
      // Without room to split, a page may still fill up to its last slot but one: a delete must not fail for want of a page.
      entry = canonicalEntry(hash);
      if (load<u32>(entry, 4) < SLOT_COUNT - 1) break;
      return false;
    }
    entry = canonicalEntry(hash);
  }
  find(key, keySize, hash);
  return true;
}

/** Inserts the key that was just missed. Call `reserveSlot` before. */
export function insert(address: u64): void {
  requiresAddress(address);
  requiresBlock(Index.slot, 8);
  if (ASC_OPTIMIZE_LEVEL == 0) assert(load<u64>(Index.slot) == 0);
  const entry = canonicalEntry(Index.hash);
  store<u64>(Index.slot, makeSlot(Index.hash, load<u32>(entry) & DEPTH_MASK, address));
  store<u32>(entry, load<u32>(entry, 4) + 1, 4);
  ensures(load<u32>(entry, 4) < SLOT_COUNT);
}

/** Takes the key that was just found out of the index; its slot stays taken until the page is next rebuilt. */
export function remove(): void {
  requiresBlock(Index.slot, 8);
  store<u64>(Index.slot, SLOT_REMOVED);
}

/** The hash of the key of a record. */
export function hashOfRecord(address: u64): u64 {
  requiresAddress(address);
  const record = resolve(address);
  assert(record != 0);
  return hashKey(keyOf(record), keySizeOf(record));
}

function place(page: usize, home: u32, slot: u64): void {
  requires((page & (PAGE_SIZE - 1)) == 0 && home < SLOT_COUNT && slot != 0);
  let position = home;
  while (load<u64>(page + (<usize>position << 3)) != 0) position = (position + 1) & SLOT_MASK;
  store<u64>(page + (<usize>position << 3), slot);
}

function doubleDirectory(): bool {
  const size = (<usize>1 << ENTRY_SHIFT) << Index.depth;
  let shift = Index.directoryShift;
  while ((<usize>1 << shift) < size * 2) shift++;
  const directory = allocate(shift);
  if (directory == 0) return false;
  for (let offset: usize = 0; offset < size; offset += 8) {
    const entry = load<u64>(Index.directory + offset);
    store<u64>(directory + offset * 2, entry);
    store<u64>(directory + offset * 2, entry & 0xffffffff, 8);
  }
  release(Index.directory, Index.directoryShift);
  Index.directory = directory;
  Index.directoryShift = shift;
  Index.depth++;
  ensures(<usize>1 << (Index.depth + ENTRY_SHIFT) <= <usize>1 << Index.directoryShift);
  return true;
}

/**
 * Splits the page that `hash` falls into, or, when most of it is slots of removed keys, lays it out anew.
 * Work: one pass over 1,024 slots; every eighth level the hashes of the page's keys are computed again.
 */
function splitOrRebuild(entry: usize, hash: u64): bool {
  requiresBlock(entry, 8);
  const word = load<u32>(entry);
  const depth = word & DEPTH_MASK;
  const page = <usize>word & ~(PAGE_SIZE - 1);
  let removed: u32 = 0;
  for (let offset: usize = 0; offset < PAGE_SIZE; offset += 8) {
    const slot = load<u64>(page + offset);
    if (slot != 0 && (slot & FIELD_MASK) == 0) removed++;
  }
  const splits = removed < SLOT_COUNT_FULL / 2;
  if (splits && !reserveSibling(depth)) return false;
  const newDepth = splits ? depth + 1 : depth;
  // A record may have to be read from the file, and reading may fail: up to the last of them the page stays as it is.
  memory.fill(Index.scratch, 0, PAGE_SIZE);
  const moved = distribute(page, splits ? Index.spare : Index.scratch, depth, newDepth);
  memory.copy(page, Index.scratch, PAGE_SIZE);
  if (splits) {
    publish(hash, page, Index.spare, newDepth, moved);
    Index.spare = 0;
    Index.pageCount++;
  } else store<u32>(canonicalEntry(hash), <u32>(moved & 0xffffffff), 4);
  return true;
}

/** Makes a page for the second half of a page that is to be split, and room for it in the directory. */
function reserveSibling(depth: u32): bool {
  requires(depth <= Index.depth);
  if (depth == DEPTH_MAX) return false;
  if (Index.spare == 0) Index.spare = allocate(PAGE_SHIFT);
  if (Index.spare == 0) return false;
  if (depth == Index.depth && !doubleDirectory()) {
    release(Index.spare, PAGE_SHIFT);
    Index.spare = 0;
    return false;
  }
  memory.fill(Index.spare, 0, PAGE_SIZE);
  return true;
}

/** The hash of the key at an address, whose record nobody needs afterwards. */
function hashAt(address: u64): u64 {
  requiresAddress(address);
  const record = peek(segmentOf(address)!, address);
  return hashKey(keyOf(record), keySizeOf(record));
}

/** Lays the slots of a page out over the scratch page and `sibling`. Returns how many went to each: sibling << 32 | scratch. */
function distribute(page: usize, sibling: usize, depth: u32, newDepth: u32): u64 {
  requires((page & (PAGE_SIZE - 1)) == 0 && (sibling & (PAGE_SIZE - 1)) == 0);
  requires(newDepth == depth || newDepth == depth + 1);
  const rehashes = (newDepth & WINDOW_STEP_MASK) != (depth & WINDOW_STEP_MASK);
  const splitShift = TAG_SHIFT + WINDOW_BITS - 1 - (depth & ~WINDOW_STEP_MASK);
  let first: u32 = 0;
  while (load<u64>(page + (<usize>first << 3)) != 0) first++;
  let run: u32 = 0;
  let stayed: u64 = 0;
  let moved: u64 = 0;
  for (let step: u32 = 0; step < SLOT_COUNT; step++) {
    const position = (first + step) & SLOT_MASK;
    let slot = load<u64>(page + (<usize>position << 3));
    if (slot == 0) {
      run = 0;
      continue;
    }
    const displacementMax = run++;
    if ((slot & FIELD_MASK) == 0) continue;
    let home: u32;
    let goes = sibling != Index.scratch && ((slot >> splitShift) & 1) != 0;
    if (rehashes || displacementMax > HOME_LOW_MASK) {
      const hash = hashAt(slot & FIELD_MASK);
      home = <u32>hash & SLOT_MASK;
      slot = makeSlot(hash, newDepth, slot & FIELD_MASK);
    } else {
      const homeLow = <u32>(slot >> (TAG_SHIFT + WINDOW_BITS)) & HOME_LOW_MASK;
      home = (position - ((position - homeLow) & HOME_LOW_MASK)) & SLOT_MASK;
    }
    place(goes ? sibling : Index.scratch, home, slot);
    if (goes) moved++;
    else stayed++;
  }
  ensures(moved + stayed < SLOT_COUNT);
  return (moved << 32) | stayed;
}

/** Points the directory's entries at the two halves of a split page. */
function publish(hash: u64, page: usize, sibling: usize, depth: u32, counts: u64): void {
  requires(depth <= Index.depth && page != sibling);
  const span = Index.depth - depth;
  const mask = (<u64>1 << Index.depth) - 1;
  const position = <usize>((hash >> (64 - Index.depth)) & mask);
  const firstOfPage = (position >> (span + 1)) << (span + 1);
  const half = <usize>1 << span;
  for (let index: usize = 0; index < half * 2; index++) {
    const at = Index.directory + ((firstOfPage + index) << ENTRY_SHIFT);
    store<u32>(at, <u32>(index < half ? page : sibling) | depth);
    store<u32>(at, 0, 4);
  }
  store<u32>(Index.directory + (firstOfPage << ENTRY_SHIFT), <u32>counts, 4);
  store<u32>(Index.directory + ((firstOfPage + half) << ENTRY_SHIFT), <u32>(counts >> 32), 4);
}

/** What a walk over all pages calls back into, as a cursor: no closures in the core. */
export class Cursor {
  static entry: u32 = 0;
  static position: u32 = 0;
}

export function startCursor(): void {
  Cursor.entry = 0;
  Cursor.position = 0;
}

/** The next slot in use, or 0 at the end; each page once. */
export function nextSlot(): u64 {
  const count: u32 = 1 << Index.depth;
  while (Cursor.entry < count) {
    const word = load<u32>(Index.directory + (<usize>Cursor.entry << ENTRY_SHIFT));
    const page = <usize>word & ~(PAGE_SIZE - 1);
    while (Cursor.position < SLOT_COUNT) {
      const slot = load<u64>(page + (<usize>Cursor.position << 3));
      Cursor.position += 1;
      if ((slot & FIELD_MASK) != 0) return slot;
    }
    Cursor.position = 0;
    Cursor.entry += 1 << (Index.depth - (word & DEPTH_MASK));
  }
  return 0;
}

/** Whether a key that the index holds is found where a lookup would look: for verification. */
export function isPlaced(slot: u64): bool {
  const record = resolve(slot & FIELD_MASK);
  if (record == 0) return false;
  const keySize = keySizeOf(record);
  const found = find(keyOf(record), keySize, hashKey(keyOf(record), keySize));
  return found == record && load<u64>(Index.slot) == slot;
}

/**
 * The scans that are open. Between two calls their batches point at keys and values in the log; before anything of the log leaves memory, each batch is given a copy of what it points at and has not
 * been handed on.
 */
import { giveBlock, takeBlock, exponentFor } from '../memory/small';
import { hashKey } from '../hash/keyhash';
import { findHashed } from '../index/directory';
import { valueOf, valueSizeOf, versionOf } from '../log/record';
import { Room } from '../paging/room';
import { RECORD_FLAG_LARGE } from '../shared/format';
import * as layout from '../shared/layout';
import { findOld } from '../versions/old';
import { Cursor } from './cursor';
import { ensures, requires, requiresBlock } from '../verify/contract';

export class Open {
  static first: Cursor | null = null;
}

/** Takes a scan that begins. */
export function enlist(cursor: Cursor): void {
  requiresBlock(changetype<usize>(cursor), layout.CURSOR_ITEMS);
  cursor.openBefore = null;
  cursor.openAfter = Open.first;
  if (Open.first !== null) Open.first!.openBefore = cursor;
  Open.first = cursor;
}

/** Lets a scan go that ends. */
export function delist(cursor: Cursor): void {
  requires(Open.first !== null);
  const before = cursor.openBefore;
  const after = cursor.openAfter;
  if (before === null) Open.first = after;
  else before.openAfter = after;
  if (after !== null) after.openBefore = before;
  dropCopy(cursor);
}

/** Gives back the copy that a batch points at: it is to be filled anew. */
export function dropCopy(cursor: Cursor): void {
  if (cursor.copy != 0) giveBlock(cursor.copy, cursor.copyShift);
  cursor.copy = 0;
}

function itemAt(cursor: Cursor, index: u32): usize {
  requires(index < cursor.count);
  return changetype<usize>(cursor) + layout.CURSOR_ITEMS + <usize>index * layout.ITEM_SIZE;
}

/** The bytes of the value of an item that stand in the log, and not in the item. */
function valueSizeInLog(cursor: Cursor, item: usize): u32 {
  requiresBlock(item, layout.ITEM_SIZE);
  const isApart = cursor.hasValues && <usize>load<u32>(item, layout.ITEM_VALUE) != item + layout.ITEM_ROOM;
  return isApart ? load<u32>(item, layout.ITEM_VALUE_SIZE) : 0;
}

/** Copies bytes to a place, and points a field of an item there. Returns where the copy ends. */
function moveField(item: usize, field: usize, size: u32, to: usize): usize {
  requiresBlock(item, layout.ITEM_SIZE);
  memory.copy(to, load<u32>(item + field), size);
  store<u32>(item + field, <u32>to);
  return to + size;
}

/** Gives a batch its copy. The item that was handed on last counts still: its key says how far the caller has read. False where memory is at its limit. */
function rescue(cursor: Cursor): bool {
  const consumed = load<u32>(changetype<usize>(cursor), layout.CURSOR_CONSUMED);
  const begin = min<u32>(consumed == 0 ? 0 : consumed - 1, cursor.count);
  let size: u32 = 0;
  for (let index = begin; index < cursor.count; index++) {
    const item = itemAt(cursor, index);
    size += load<u32>(item, layout.ITEM_KEY_SIZE) + valueSizeInLog(cursor, item);
  }
  if (size == 0) return true;
  const shift = exponentFor(size);
  let at = takeBlock(shift);
  if (at == 0) return false;
  cursor.copy = at;
  cursor.copyShift = shift;
  for (let index = begin; index < cursor.count; index++) {
    const item = itemAt(cursor, index);
    const valueSize = valueSizeInLog(cursor, item);
    at = moveField(item, layout.ITEM_KEY, load<u32>(item, layout.ITEM_KEY_SIZE), at);
    if (valueSize != 0) at = moveField(item, layout.ITEM_VALUE, valueSize, at);
  }
  ensures(at == cursor.copy + size);
  return true;
}

/** Gives every batch that has none a copy of what it points at. False where memory is at its limit: then nothing may leave. O(items that were not handed on). */
export function rescueScans(): bool {
  for (let cursor = Open.first; cursor !== null; cursor = cursor!.openAfter) {
    if (cursor!.copy == 0 && cursor!.count != 0 && !rescue(cursor!)) return false;
  }
  return true;
}

/** Whether an item is a large value that may still be asked for: it names parts by where they stand. */
function listsParts(cursor: Cursor, index: u32): bool {
  return cursor.hasValues && (load<u32>(itemAt(cursor, index), layout.ITEM_KIND) & RECORD_FLAG_LARGE) != 0 && index + 1 >= load<u32>(changetype<usize>(cursor), layout.CURSOR_CONSUMED);
}

/**
 * A segment is about to be given up: batches get copies of what they point at, as when it leaves memory, and where compaction has moved something out of it, large values get the lists of their parts as they are now. False
 * where memory is at its limit, or where records would be read from the file that may not be: then nothing may be given up.
 */
export function leaveScans(hasMoved: bool, mayRead: bool): bool {
  if (!rescueScans()) return false;
  if (!hasMoved) return true;
  for (let cursor = Open.first; cursor !== null; cursor = cursor!.openAfter) {
    for (let index: u32 = 0; index < cursor!.count; index++) {
      if (!listsParts(cursor!, index)) continue;
      if (!mayRead && Room.isPaged) return false;
      refreshList(itemAt(cursor!, index));
    }
  }
  return true;
}

/** Lists the parts of a large value where they stand now: as many, and as long. What a session has written itself stands in the session. */
function refreshList(item: usize): void {
  requiresBlock(item, layout.ITEM_SIZE);
  const key = <usize>load<u32>(item, layout.ITEM_KEY);
  const size = load<u32>(item, layout.ITEM_KEY_SIZE);
  const version = <u64>load<f64>(item, layout.ITEM_VERSION);
  if (version == 0) return;
  let record = findHashed(key, size);
  if (record == 0 || versionOf(record) != version) record = findOld(key, size, hashKey(key, size), version);
  assert(record != 0 && versionOf(record) == version && valueSizeOf(record) == load<u32>(item, layout.ITEM_VALUE_SIZE));
  memory.copy(load<u32>(item, layout.ITEM_VALUE), valueOf(record), valueSizeOf(record));
}

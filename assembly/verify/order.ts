/** Holds the ordered index against the hash index: every key once, in order, and none that is not there. */
import { compare } from '../memory/bytes';
import { Front, countOfChunk, nextChunk, refInChunk } from '../order/front';
import { RefKey, loadKey, recordOf } from '../order/ref';
import { Tree, countOfLeaf, nameAt } from '../order/tree';

/** Whether the ordered index, where there is one, names `keyCount` keys, in order. */
export function isOrderSound(keyCount: u64): bool {
  // Making it was stopped by a record that could not be read: whoever scans next makes it anew.
  if (Tree.isChanging) return true;
  if (!Tree.isKept) return Tree.count == 0 && Front.count == 0;
  let count: u64 = 0;
  let before: usize = 0;
  let beforeSize: u32 = 0;
  for (let leaf: u32 = 0; leaf < Tree.leafCount; leaf++) {
    if (countOfLeaf(leaf) == 0) return false;
    for (let position: u32 = 0; position < countOfLeaf(leaf); position++) {
      const name = nameAt(leaf, position);
      if (recordOf(name) == 0) return false;
      loadKey(name);
      if (before != 0 && compare(before, beforeSize, RefKey.pointer, RefKey.size) >= 0) return false;
      before = RefKey.pointer;
      beforeSize = RefKey.size;
      count++;
    }
  }
  if (count != Tree.count) return false;
  // Names that wait in front may stand for keys that are gone since, or that came again.
  let waiting: u64 = 0;
  for (let chunk = Front.first; chunk != 0; chunk = nextChunk(chunk)) {
    for (let position: u32 = 0; position < countOfChunk(chunk); position++) if (recordOf(refInChunk(chunk, position)) != 0) waiting++;
  }
  return count + waiting >= keyCount && count <= keyCount;
}

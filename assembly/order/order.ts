/** What the way of a write tells the ordered index: that a key is new, or was after all not. An overwrite never comes here. */
import { isShared } from '../index/by-hash';
import { Index } from '../index/directory';
import { addToFront, removeFromFront } from './front';
import { keyOf, keySizeOf } from '../log/record';
import { Tree, forgetTree, removeRef } from './tree';

/** The key that was just inserted into the hash index is new. */
export function noteKey(): void {
  // Of keys that share a hash each needs another name: so rare that everything is named anew. A front that cannot grow is given up too: the next scan looks at the hash index.
  if (Tree.isKept && (isShared(Index.hash) || !addToFront(Index.hash))) forgetTree();
}

/** The key that came last was taken out of the hash index again. */
export function forgetKey(): void {
  if (Tree.isKept) removeFromFront();
}

/** A key is about to be taken out of the hash index. Among those that wait in front its name stays: it is left out when they are sorted in. O(log n). */
export function removeKey(record: usize): void {
  if (Tree.isKept) removeRef(keyOf(record), keySizeOf(record));
}

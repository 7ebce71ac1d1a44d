/** Where rows that write end: how many rounds they take at most, and what they leave to be put away. */

/** A sample of strict writes takes as long as the disk likes: fewer of them keep the whole run within minutes. */
export const STRICT_ROUNDS_MAX = 7;

/** @param {(() => unknown)[]} disposals */
export async function disposeAll(disposals) {
  for (const dispose of disposals) await dispose();
}

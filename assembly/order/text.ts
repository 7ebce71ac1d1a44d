/**
 * The keys of a batch as one run of text, where all of them are texts of ASCII: the facade decodes a hundred at once in the time that a few take one by one, and each key is then a part of that. Which
 * byte says that a key is a text, and where it stands, the facade knows.
 */
import { Windows } from '../memory/windows';
import * as layout from '../shared/layout';
import { Cursor } from './cursor';
import { ensures, requires, requiresRange } from '../verify/contract';

const HIGH_BITS: u64 = 0x8080808080808080;

/** Copies bytes, touching none but them. Returns whether all of them are ASCII. */
function copyAscii(to: usize, from: usize, size: u32): bool {
  requiresRange(from, size);
  requiresRange(to, size);
  let seen: u64 = 0;
  let offset: u32 = 0;
  for (; offset + 8 <= size; offset += 8) {
    const word = load<u64>(from + offset);
    seen |= word;
    store<u64>(to + offset, word);
  }
  for (; offset < size; offset++) {
    const byte = load<u8>(from + offset);
    seen |= <u64>byte;
    store<u8>(to + offset, byte);
  }
  return (seen & HIGH_BITS) == 0;
}

/**
 * Puts what stands behind the byte `mark` at `offset` of each key of a batch into the key window, one behind the other, and notes in each item where. Returns the size of it all; 0 where a key has another byte there, or
 * anything but ASCII behind it, or where it is too much for one text. O(bytes of the keys).
 */
export function layText(cursor: Cursor, offset: u32, mark: u32): u32 {
  requires(mark <= 0xff);
  const items = changetype<usize>(cursor) + layout.CURSOR_ITEMS;
  const end = items + <usize>cursor.count * layout.ITEM_SIZE;
  let size: u32 = 0;
  for (let item = items; item < end; item += layout.ITEM_SIZE) {
    const key = <usize>load<u32>(item, layout.ITEM_KEY);
    const keySize = load<u32>(item, layout.ITEM_KEY_SIZE);
    if (keySize <= offset || load<u8>(key + offset) != <u8>mark) return 0;
    const textSize = keySize - offset - 1;
    if (size + textSize > <u32>layout.TEXT_SIZE_MAX || !copyAscii(Windows.key + size, key + offset + 1, textSize)) return 0;
    store<u32>(item, size, layout.ITEM_TEXT);
    size += textSize;
  }
  ensures(size <= <u32>layout.TEXT_SIZE_MAX);
  return size;
}

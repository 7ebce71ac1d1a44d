/** The windows of linear memory that the facade writes to: keys for lookups, and superblocks. */
import { SUPERBLOCK_SIZE } from '../shared/format';
import { MAX_KEY_SIZE } from '../shared/limits';
import { allocate, shiftFor } from './allocator';

/** Room before a window, because the key hash may read a few bytes before a key. */
const WINDOW_MARGIN: usize = 8;

export class Windows {
  static key: usize = 0;
  static superblocks: usize = 0;
}

/** Reserves the windows. False where memory is at its limit. */
export function reserveWindows(): bool {
  const window = allocate(shiftFor(MAX_KEY_SIZE + WINDOW_MARGIN));
  Windows.superblocks = allocate(shiftFor(2 * SUPERBLOCK_SIZE));
  if (window == 0 || Windows.superblocks == 0) return false;
  Windows.key = window + WINDOW_MARGIN;
  return true;
}

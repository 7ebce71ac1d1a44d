/** A slot of an image of the index: its header, and whether it is what it says it is. */
import { xxh64, mix } from '../hash/xxh64';
import { Store } from '../log/header';
import { Geometry } from '../log/segment';
import { setU32 } from '../memory/control';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_CORRUPT, STATUS_OK } from '../shared/status';
import { requires, requiresBlock } from '../verify/contract';

/** The image of which slots are written, or read. */
export class Image {
  static id: u64 = 0;
  /** The words that the key hash was seeded with: an index is of use with them alone. */
  static secretLow: u64 = 0;
  static secretHigh: u64 = 0;
}

function contentHash(block: usize): u64 {
  const size = load<u32>(block, format.IMAGE_SIZE);
  requiresBlock(block, format.IMAGE_HEADER_SIZE + size);
  return xxh64(block + format.IMAGE_HEADER_SIZE, size, mix(format.SEED_IMAGE, load<u64>(block, format.IMAGE_ID)));
}

function headerHash(block: usize): u64 {
  requiresBlock(block, format.IMAGE_HEADER_SIZE);
  return xxh64(block, format.IMAGE_HASH, mix(format.SEED_IMAGE, load<u32>(block, format.IMAGE_SLOT)));
}

/** Writes the header of a slot whose content ends at `end`. */
export function sealImageSlot(block: usize, end: usize, slot: u32, nextSlot: u32, index: u32): void {
  requires(end >= block + format.IMAGE_HEADER_SIZE && end <= block + Geometry.segmentSize && (end & 7) == 0);
  store<u32>(block, format.IMAGE_MAGIC_LOW);
  store<u32>(block, format.IMAGE_MAGIC_HIGH, 4);
  store<u64>(block, Image.id, format.IMAGE_ID);
  store<u64>(block, Store.idLow, format.IMAGE_STORE_ID_LOW);
  store<u64>(block, Store.idHigh, format.IMAGE_STORE_ID_HIGH);
  store<u32>(block, slot, format.IMAGE_SLOT);
  store<u32>(block, nextSlot, format.IMAGE_NEXT_SLOT);
  store<u32>(block, index, format.IMAGE_INDEX);
  store<u32>(block, <u32>(end - block) - format.IMAGE_HEADER_SIZE, format.IMAGE_SIZE);
  store<u64>(block, contentHash(block), format.IMAGE_CONTENT_HASH);
  store<u64>(block, headerHash(block), format.IMAGE_HASH);
}

/** Whether a block holds slot `index` of the image that the superblock names; the control block then has the next slot. STATUS_OK or STATUS_CORRUPT. */
export function examineImageSlot(block: usize, slot: u32, index: u32): i32 {
  requiresBlock(block, Geometry.segmentSize);
  if (load<u32>(block) != format.IMAGE_MAGIC_LOW || load<u32>(block, 4) != format.IMAGE_MAGIC_HIGH) return STATUS_CORRUPT;
  if (load<u64>(block, format.IMAGE_HASH) != headerHash(block)) return STATUS_CORRUPT;
  if (load<u64>(block, format.IMAGE_ID) != Image.id || load<u32>(block, format.IMAGE_SLOT) != slot || load<u32>(block, format.IMAGE_INDEX) != index) return STATUS_CORRUPT;
  if (load<u64>(block, format.IMAGE_STORE_ID_LOW) != Store.idLow || load<u64>(block, format.IMAGE_STORE_ID_HIGH) != Store.idHigh) return STATUS_CORRUPT;
  const size = load<u32>(block, format.IMAGE_SIZE);
  if (size > Geometry.segmentSize - format.IMAGE_HEADER_SIZE || (size & 7) != 0) return STATUS_CORRUPT;
  if (load<u64>(block, format.IMAGE_CONTENT_HASH) != contentHash(block)) return STATUS_CORRUPT;
  setU32(layout.CONTROL_NEXT_SLOT, load<u32>(block, format.IMAGE_NEXT_SLOT));
  return STATUS_OK;
}

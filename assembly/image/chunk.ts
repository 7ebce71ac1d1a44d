/** A chunk of an image of the index: its header, and whether it is what it says it is. */
import { xxh64, mix } from '../hash/xxh64';
import { Store } from '../log/header';
import { Geometry } from '../log/segment';
import { setU32 } from '../memory/control';
import * as format from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_CORRUPT, STATUS_OK } from '../shared/status';
import { requires, requiresBlock } from '../verify/contract';

/** The image that the superblock names. */
export class Image {
  static id: u64 = 0;
  /** The words that the key hash was seeded with: an index is of use with them alone. */
  static secretLow: u64 = 0;
  static secretHigh: u64 = 0;
}

/** Bytes of a chunk, header and what it leaves free included. A slot holds one or several. */
export function chunkSize(): u32 {
  return min<u32>(Geometry.segmentSize, format.IMAGE_CHUNK_SIZE);
}

function contentHash(chunk: usize): u64 {
  const size = load<u32>(chunk, format.IMAGE_SIZE);
  requiresBlock(chunk, format.IMAGE_HEADER_SIZE + size);
  return xxh64(chunk + format.IMAGE_HEADER_SIZE, size, mix(format.SEED_IMAGE, load<u64>(chunk, format.IMAGE_ID)));
}

function headerHash(chunk: usize): u64 {
  requiresBlock(chunk, format.IMAGE_HEADER_SIZE);
  return xxh64(chunk, format.IMAGE_HASH, mix(format.SEED_IMAGE, load<u32>(chunk, format.IMAGE_SLOT)));
}

/** Writes the header of a chunk whose content ends at `end`, and shows the chunk as an output. */
export function sealImageChunk(chunk: usize, end: usize, id: u64, slot: u32, nextSlot: u32, index: u32): void {
  requires(end >= chunk + format.IMAGE_HEADER_SIZE && end <= chunk + chunkSize() && (end & 7) == 0);
  store<u32>(chunk, format.IMAGE_MAGIC_LOW);
  store<u32>(chunk, format.IMAGE_MAGIC_HIGH, 4);
  store<u64>(chunk, id, format.IMAGE_ID);
  store<u64>(chunk, Store.idLow, format.IMAGE_STORE_ID_LOW);
  store<u64>(chunk, Store.idHigh, format.IMAGE_STORE_ID_HIGH);
  store<u32>(chunk, slot, format.IMAGE_SLOT);
  store<u32>(chunk, nextSlot, format.IMAGE_NEXT_SLOT);
  store<u32>(chunk, index, format.IMAGE_INDEX);
  store<u32>(chunk, <u32>(end - chunk) - format.IMAGE_HEADER_SIZE, format.IMAGE_SIZE);
  store<u64>(chunk, contentHash(chunk), format.IMAGE_CONTENT_HASH);
  store<u64>(chunk, headerHash(chunk), format.IMAGE_HASH);
  setU32(layout.CONTROL_OUTPUT_POINTER, <u32>chunk);
  setU32(layout.CONTROL_OUTPUT_SIZE, <u32>(end - chunk));
}

/** Whether a block holds chunk `index` of the image that the superblock names; the control block then has the next slot. STATUS_OK or STATUS_CORRUPT. */
export function examineImageChunk(chunk: usize, slot: u32, index: u32): i32 {
  requiresBlock(chunk, chunkSize());
  if (load<u32>(chunk) != format.IMAGE_MAGIC_LOW || load<u32>(chunk, 4) != format.IMAGE_MAGIC_HIGH) return STATUS_CORRUPT;
  if (load<u64>(chunk, format.IMAGE_HASH) != headerHash(chunk)) return STATUS_CORRUPT;
  if (load<u64>(chunk, format.IMAGE_ID) != Image.id || load<u32>(chunk, format.IMAGE_SLOT) != slot || load<u32>(chunk, format.IMAGE_INDEX) != index) return STATUS_CORRUPT;
  if (load<u64>(chunk, format.IMAGE_STORE_ID_LOW) != Store.idLow || load<u64>(chunk, format.IMAGE_STORE_ID_HIGH) != Store.idHigh) return STATUS_CORRUPT;
  const size = load<u32>(chunk, format.IMAGE_SIZE);
  if (size > chunkSize() - format.IMAGE_HEADER_SIZE || (size & 7) != 0) return STATUS_CORRUPT;
  if (load<u64>(chunk, format.IMAGE_CONTENT_HASH) != contentHash(chunk)) return STATUS_CORRUPT;
  setU32(layout.CONTROL_NEXT_SLOT, load<u32>(chunk, format.IMAGE_NEXT_SLOT));
  return STATUS_OK;
}

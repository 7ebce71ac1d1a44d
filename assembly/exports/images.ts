/** The exports with which an image of the index is written and read. */
import * as reading from '../image/read';
import * as slots from '../image/slot';
import { Image } from '../image/slot';
import * as writing from '../image/write';
import * as superblock from '../recovery/superblock';
import { Geometry } from '../log/segment';
import { requires, requiresBlock } from '../verify/contract';

/** Begins an image of the store as it is now. False where it cannot be had: an old version is kept, or records wait in an open frame. */
export function startImage(): bool {
  if (!writing.canImage()) return false;
  writing.startImage();
  return true;
}

/** Writes the next slot of the image into a block. Returns whether it is the last; `nextSlot` is then not needed. Nothing may change until that was returned. */
export function fillImageSlot(block: usize, slot: u32, nextSlot: u32): bool {
  requires(slot != nextSlot);
  requiresBlock(block, Geometry.segmentSize);
  return writing.fillImageSlot(block, slot, nextSlot);
}

/** From the next superblock on, recovery begins with the image that was written last, which is durable; with a count of 0, with none. */
export function nameImage(slot: u32, count: u32): void {
  superblock.nameImage(count == 0 ? 0 : Image.id, slot, count);
}

/** Whether a block holds slot `index` of the image that the superblock names; the control block then has the next slot. */
export function examineImageSlot(block: usize, slot: u32, index: u32): i32 {
  requiresBlock(block, Geometry.segmentSize);
  return slots.examineImageSlot(block, slot, index);
}

/** Takes what an examined slot says. */
export function takeImageSlot(block: usize): i32 {
  requiresBlock(block, Geometry.segmentSize);
  return reading.takeImageSlot(block);
}

/** Whether the image that was taken cannot be begun with after all; known once the segments are. Recovery then begins anew, without it. */
export function isImageStale(): bool {
  return reading.isStale();
}

/** Takes the word of the image for a segment that the newest header lists. False where it has to be read. */
export function confirmFromImage(sequence: f64, slot: u32): bool {
  requires(sequence > 0);
  return reading.confirmFromImage(<u64>sequence, slot);
}

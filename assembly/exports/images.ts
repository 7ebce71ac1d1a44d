/** The exports with which an image of the index is written and read. */
import * as chunks from '../image/chunk';
import * as reading from '../image/read';
import * as writing from '../image/write';
import * as superblock from '../recovery/superblock';
import { allocate, release, shiftFor } from '../memory/allocator';
import { requires, requiresBlock } from '../verify/contract';

/** Bytes of a chunk of an image. */
export function imageChunkSize(): u32 {
  return chunks.chunkSize();
}

/** About how many bytes an image would take now. */
export function imageSize(): f64 {
  return <f64>writing.imageSize();
}

/** Begins an image of the store as it is now. False where it cannot be had: a history is kept, a value in parts, records wait in an open frame, or memory is at its limit. */
export function startImage(): bool {
  return writing.startImage();
}

/** Whether nothing of an image may be written now: a batch is being staged. */
export function isImageHeld(): bool {
  return writing.isImageHeld();
}

/** Writes the next chunk of the image, to stand in `slot`, and shows it as an output. Returns whether it is the last; `nextSlot` is then not needed. Work: some hundred slots of the index to a KiB. */
export function fillImageChunk(slot: u32, nextSlot: u32): bool {
  requires(slot != nextSlot);
  return writing.fillImageChunk(slot, nextSlot);
}

/** The image is written, or will not be. */
export function endImage(): void {
  writing.endImage();
}

/** From the next superblock on, recovery begins with the image that was written last, which is durable; with a count of 0, with none. */
export function nameImage(slot: u32, count: u32): void {
  superblock.nameImage(count == 0 ? 0 : writing.imageId(), slot, count);
}

/** A block to read chunks into; 0 where memory is at its limit. */
export function openImageChunk(): usize {
  return allocate(shiftFor(chunks.chunkSize()));
}

/** Gives that block back. */
export function closeImageChunk(chunk: usize): void {
  release(chunk, shiftFor(chunks.chunkSize()));
}

/** Whether a block holds chunk `index` of the image that the superblock names; the control block then has the next slot. */
export function examineImageChunk(chunk: usize, slot: u32, index: u32): i32 {
  requiresBlock(chunk, chunks.chunkSize());
  return chunks.examineImageChunk(chunk, slot, index);
}

/** Takes what an examined chunk says. */
export function takeImageChunk(chunk: usize): i32 {
  requiresBlock(chunk, chunks.chunkSize());
  return reading.takeImageChunk(chunk);
}

/** Takes the word of the image for a segment that the newest header lists. False where it has to be read. */
export function confirmFromImage(sequence: f64, slot: u32): bool {
  requires(sequence > 0);
  return reading.confirmFromImage(<u64>sequence, slot);
}

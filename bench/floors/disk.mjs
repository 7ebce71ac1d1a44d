/**
 * The raw floors: what the operating system alone takes for as many bytes, on blocks that were zero-written and flushed before, as the store's are. After
 * every sample the file is read back: a floor that did not write is no floor.
 */
import fs from 'node:fs';
import { mustBe } from '../harness/measure.mjs';

const CHUNK_SIZE = 1 << 20;

/**
 * A preallocated file, and the loops over it.
 * @param {import('../harness/context.mjs').Context} context
 * @param {number} recordSize bytes that one operation writes
 * @param {number} count operations of one sample
 */
export function createFloor(context, recordSize, count) {
  const path = context.path('floor');
  const descriptor = fs.openSync(path, 'w+');
  const size = recordSize * count;
  for (let offset = 0; offset < size; offset += CHUNK_SIZE) fs.writeSync(descriptor, new Uint8Array(Math.min(CHUNK_SIZE, size - offset)), 0, undefined, offset);
  fs.fsyncSync(descriptor);
  const source = new Uint8Array(recordSize);
  const found = new Uint8Array(recordSize);
  let sampleCount = 0;

  return {
    /** Write, and nothing else. */
    write() {
      let written = 0;
      for (let index = 0; index < count; index++) written += fs.writeSync(descriptor, source, 0, recordSize, index * recordSize);
      return written;
    },
    /** Write, then await nothing, one after the other. */
    async writeAndAwait() {
      let written = 0;
      for (let index = 0; index < count; index++) {
        written += fs.writeSync(descriptor, source, 0, recordSize, index * recordSize);
        await undefined;
      }
      return written;
    },
    /** Write and flush, blocking. */
    writeAndFlush() {
      let written = 0;
      for (let index = 0; index < count; index++) {
        written += fs.writeSync(descriptor, source, 0, recordSize, index * recordSize);
        fs.fdatasyncSync(descriptor);
      }
      return written;
    },
    /** Write, then flush without blocking the event loop. */
    async writeAndFlushBeside() {
      let written = 0;
      for (let index = 0; index < count; index++) {
        written += fs.writeSync(descriptor, source, 0, recordSize, index * recordSize);
        await new Promise((resolve, reject) => fs.fdatasync(descriptor, (error) => (error ? reject(error) : resolve(undefined))));
      }
      return written;
    },
    /** Other bytes than the sample before wrote. */
    before() {
      source.fill(++sampleCount & 0xff);
    },
    /** @param {number} written */
    after(written) {
      mustBe('bytes written', written, size);
      for (const index of [0, count >> 1, count - 1]) {
        mustBe('bytes read back', fs.readSync(descriptor, found, 0, recordSize, index * recordSize), recordSize);
        mustBe(`record ${index} of the floor`, Buffer.compare(found, source), 0);
      }
    },
    close() {
      fs.closeSync(descriptor);
      fs.rmSync(path, { force: true });
    },
  };
}

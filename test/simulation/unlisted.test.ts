/**
 * A segment that was given up, between two crashes. Its slot may be used again only when a durable header no longer lists it; and a header that recovery drops, because a crash has cut the log before it, is none.
 */
import { expect, test } from 'vitest';
import { SEGMENT_MAGIC_LOW, SLOTS_OFFSET } from '../../assembly/shared/format.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;
/** Small enough not to be split in parts: six or seven to a segment. */
const VALUE = new Uint8Array(500).fill(1);

test('what the newest header lists stays in its place, also where the one that left it out was dropped by recovery (F-06, F-77)', async () => {
  const disk = new SimulatedDisk();
  const db = openStore(disk, { segmentSize: SEGMENT_SIZE });
  // Of three segments, the last holds all that is live. Its header still lists the second, and closing makes it the root.
  db.putSync('b', VALUE);
  while (db.stats().file!.slotStalls === 0 || db.stats().log.segments < 2) db.putSync('a', VALUE);
  db.putSync('b', VALUE);
  await db.close();

  // Of the commit that needs another, nothing arrives but the header, which leaves the second out.
  const next = disk.processRestart();
  const again = openStore(next, { segmentSize: SEGMENT_SIZE });
  let cut: Uint8Array | undefined;
  const isHeader = (index: number): boolean => {
    const change = next.pending[index]!;
    return change.sort === 'sector' && change.offset >= SLOTS_OFFSET && Buffer.from(change.bytes).readUInt32LE() === SEGMENT_MAGIC_LOW;
  };
  next.onOperation = (_number, operation) => {
    if (operation === 'flush' && next.pending.some((_, index) => isHeader(index))) cut ??= next.image(isHeader);
  };
  while (cut === undefined) again.putSync('a', VALUE);

  // Recovery goes back to the third. Whatever it and the next commit do, the process may die at any operation.
  const last = new SimulatedDisk(cut);
  const images: Uint8Array[] = [];
  last.onOperation = () => images.push(last.processImage());
  const recovered = openStore(last, { segmentSize: SEGMENT_SIZE });
  expect(recovered.recovery.dropped?.reason).toBe('a segment ends before its last frame');
  for (let count = 0; count < 8; count++) recovered.putSync('a', VALUE);
  last.onOperation = undefined;
  expect(images.length).toBeGreaterThan(10);
  for (const image of images) expect(openStore(new SimulatedDisk(image)).get('b')).toEqual(VALUE);

  // Nor does closing give its slot back to the file system.
  const trimmed = new SimulatedDisk(cut);
  await openStore(trimmed, { segmentSize: SEGMENT_SIZE }).close();
  expect(openStore(new SimulatedDisk(trimmed.processImage())).get('b')).toEqual(VALUE);
});

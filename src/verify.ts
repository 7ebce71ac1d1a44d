/** `verify()`: the structures in memory, and the frames in the file. */
import * as format from '../assembly/shared/format.js';
import { STATUS_OK } from '../assembly/shared/status.js';
import type { LogFile } from './durability/log-file.js';
import type { Engine } from './engine/engine.js';
import { corruption, failure } from './engine/failure.js';
import { damageOf } from './engine/pager.js';
import type { Damage } from './errors.js';
import { STATUS_MEMORY_FULL } from '../assembly/shared/status.js';

/** Checks everything, and throws `CorruptionError` with all that is wrong: of memory the first thing, of the file the first in each segment. Costs a pass over memory and one over the file. */
export function verifyStore(engine: Engine, log: LogFile | undefined): void {
  if (engine.core.verify() !== STATUS_OK) throw corruption(engine.name, damageOf(engine));
  if (log === undefined) return;
  const block = engine.core.slotBlock() >>> 0;
  engine.refresh();
  if (block === 0) throw failure(STATUS_MEMORY_FULL, engine.name);
  const found: Damage[] = [];
  try {
    const { core } = engine;
    for (let slot = core.nextSegmentSlot(true); slot >= 0; slot = core.nextSegmentSlot(false)) {
      if (!core.isSegmentLive()) continue;
      const target = engine.bytes.subarray(block, block + engine.segmentSize);
      const read = log.device.read(target, format.SLOTS_OFFSET + slot * engine.segmentSize);
      target.fill(0, read);
      if (core.verifySlotBytes(block) !== STATUS_OK) found.push(damageOf(engine));
    }
  } finally {
    engine.core.releaseSlotBlock(block);
  }
  const [first, ...others] = found;
  if (first === undefined) return;
  // What is missing in a file may be what a failed flush in the background has taken, which nobody has met yet: that is then what is wrong, and no damage.
  log.checkBackground();
  throw corruption(engine.name, first, ...others);
}

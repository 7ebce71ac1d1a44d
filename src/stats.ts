/** What `stats()` says: figures of the core and of the file, in plain units. */
import * as layout from '../assembly/shared/layout.js';
import type { Settings } from './options.js';
import type { Kernel } from './kernel.js';

export interface Stats {
  /** Keys that exist; those that have expired and were not written since count too. */
  readonly keys: number;
  /** Deletes that are still remembered. */
  readonly tombstones: number;
  /** The highest version issued. */
  readonly version: number;
  readonly durability: Settings['durability'] | 'memory';
  /** True when the store has stopped after a failure. */
  readonly failed: boolean;
  readonly log: {
    /** Bytes of records that a read may still need, headers included. */
    readonly liveBytes: number;
    /** Bytes of the log, live and dead, that the store keeps. */
    readonly bytes: number;
    readonly segments: number;
    readonly segmentBytes: number;
    /** Bytes that were applied and not yet handed to the operating system. */
    readonly pendingBytes: number;
  };
  /** Fixed views that are open, and what is kept for them. */
  readonly snapshots: {
    readonly open: number;
    /** The version and age of the oldest; undefined where none is open. */
    readonly oldest: { readonly version: number; readonly milliseconds: number } | undefined;
    /** Versions that are not the newest of their keys. */
    readonly oldVersions: number;
  };
  readonly memory: {
    /** The linear memory that the engine has touched. It never shrinks; closing the store gives it back. */
    readonly bytes: number;
    /** What of the address space is set aside for it; pages that were never touched cost no memory. */
    readonly reservedBytes: number;
    /** What of it nothing uses at present. */
    readonly idleBytes: number;
    readonly indexBytes: number;
    /** The ordered index: 0 before the first scan. */
    readonly orderBytes: number;
  };
  /** Undefined for a store in memory. */
  readonly file: {
    readonly bytes: number;
    readonly slots: number;
    readonly freeSlots: number;
    readonly readySlots: number;
    /** Writes that found no slot ready and prepared one themselves. */
    readonly slotStalls: number;
    readonly flushes: number;
    /** The time of all flushes, in milliseconds. */
    readonly flushMilliseconds: number;
  } | undefined;
}

/** Gathers the figures. */
export function collectStats(kernel: Kernel): Stats {
  const { engine, log, settings, holds } = kernel;
  // What a broken core last said of itself still stands in its memory.
  if (!engine.isBroken) kernel.guard(() => engine.core.stats());
  const failed = kernel.stopped === 'failed';
  const figure = (index: number): number => engine.number(layout.CONTROL_STATS + index * 8);
  return {
    keys: figure(layout.STAT_KEY_COUNT),
    tombstones: figure(layout.STAT_TOMBSTONE_COUNT),
    version: figure(layout.STAT_VERSION),
    durability: log === undefined ? 'memory' : settings.durability,
    failed,
    log: {
      liveBytes: figure(layout.STAT_LIVE_SIZE),
      bytes: figure(layout.STAT_LOG_SIZE),
      segments: figure(layout.STAT_SEGMENT_COUNT),
      segmentBytes: engine.segmentSize,
      pendingBytes: log === undefined ? 0 : engine.pendingSize,
    },
    snapshots: {
      open: holds.count,
      oldest: holds.oldest && { version: holds.oldest.version, milliseconds: holds.oldest.clock === 0 ? 0 : Math.max(0, engine.now() - holds.oldest.clock) },
      oldVersions: figure(layout.STAT_OLD_VERSION_COUNT),
    },
    memory: {
      bytes: figure(layout.STAT_MEMORY_SIZE),
      reservedBytes: figure(layout.STAT_MEMORY_RESERVED_SIZE),
      idleBytes: figure(layout.STAT_MEMORY_IDLE_SIZE),
      indexBytes: figure(layout.STAT_INDEX_SIZE),
      orderBytes: figure(layout.STAT_ORDER_SIZE),
    },
    file: log === undefined ? undefined : {
      bytes: failed ? 0 : log.device.size(),
      slots: log.slots.count,
      freeSlots: log.slots.freeCount,
      readySlots: figure(layout.STAT_READY_SLOT_COUNT) + log.slots.reserveCount,
      slotStalls: log.slots.stallCount,
      flushes: log.flushes.count,
      flushMilliseconds: log.flushes.milliseconds,
    },
  };
}

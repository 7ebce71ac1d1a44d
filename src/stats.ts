/** What `stats()` says: figures of the core and of the file, in plain units. */
import * as layout from '../assembly/shared/layout.js';
import type { Latency } from './durability/histogram.js';
import type { Hold, Kind } from './holds.js';
import type { Kernel } from './kernel.js';
import type { Settings } from './options.js';

/** Views of one kind that are open. */
export interface OpenViews {
  readonly open: number;
  /** The version at which the oldest reads, or behind which it watches, and its age; undefined where none is open. */
  readonly oldest: { readonly version: number; readonly milliseconds: number } | undefined;
}

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
    /** Bytes of the log that no read needs: what was superseded, and the heads of frames and segments. */
    readonly deadBytes: number;
    /** Bytes of the log, live and dead, that the store keeps. */
    readonly bytes: number;
    /** Segments whose records may be read, in memory or in the file. */
    readonly segments: number;
    /** The size of one, in bytes. */
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
  /** Versions that are not the newest of their keys, and who keeps them. */
  readonly versions: {
    readonly old: number;
    /** Those that a view sees, or saw until a moment ago, whether the history keeps them too or not. */
    readonly heldByViews: number;
    /** Those that the history keeps, and nothing else. */
    readonly heldByHistory: number;
  };
  /** Who reads at a fixed version, and so keeps what it sees; a watch keeps log that it has yet to read. */
  readonly views: {
    readonly snapshots: OpenViews;
    readonly transactions: OpenViews;
    readonly scans: OpenViews;
    readonly copies: OpenViews;
    readonly watches: OpenViews & {
      /** Segments of superseded log that are kept for watches alone. */
      readonly segments: number;
    };
  };
  /** Since the store was opened. */
  readonly commits: {
    /** Commits that were applied: puts, deletes, batches, transactions that wrote. */
    readonly applied: number;
    /** Transactions that were refused because another commit had come between. */
    readonly conflicts: number;
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
    /** Segments of the log at their full size, also those that are in the file alone. */
    readonly segmentBytes: number;
    /** What knows where old versions are; the versions themselves stand in segments. */
    readonly oldVersionBytes: number;
  };
  /** What compaction owes, and what it has done since the store was opened. */
  readonly compaction: {
    /** By how many bytes the segments are over their bound: 0 where nothing is to be done. */
    readonly debtBytes: number;
    /** Bytes of records that were copied. */
    readonly movedBytes: number;
    readonly emptiedSegments: number;
    /** Deletes, and values that had expired, of which nothing is remembered any more. */
    readonly forgottenDeletes: number;
  };
  /** Undefined for a store in memory. */
  readonly file: {
    /** The size of the file; 0 once the store has stopped. */
    readonly bytes: number;
    /** Places for a segment in the file, or about to be. */
    readonly slots: number;
    /** Those that nothing needs. */
    readonly freeSlots: number;
    /** Those that are zero and durable, for the next segments, and those that only deletes may have on a full disk. */
    readonly readySlots: number;
    /** Writes that found no slot ready and prepared one themselves. */
    readonly slotStalls: number;
    readonly flushes: number;
    /** The time of all flushes, in milliseconds. */
    readonly flushMilliseconds: number;
    /** How long flushes took, with what is written before them. */
    readonly flushLatency: Latency;
    /** Images of the index, written since the store was opened: how many came to count, and the bytes of all, which no other figure has. */
    readonly images: { readonly written: number; readonly bytes: number };
  } | undefined;
}

/** How long ago a view began; a session that needs no clock has none. */
function ageOf(kernel: Kernel, hold: Hold): number {
  return hold.clock === 0 ? 0 : Math.max(0, kernel.engine.now() - hold.clock);
}

function viewsOf(kernel: Kernel, kind: Kind): OpenViews {
  const { count, oldest } = kernel.holds.openOf(kind);
  return { open: count, oldest: oldest && { version: oldest.version, milliseconds: ageOf(kernel, oldest) } };
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
      deadBytes: figure(layout.STAT_LOG_SIZE) - figure(layout.STAT_LIVE_SIZE),
      bytes: figure(layout.STAT_LOG_SIZE),
      segments: figure(layout.STAT_SEGMENT_COUNT),
      segmentBytes: engine.segmentSize,
      pendingBytes: log === undefined ? 0 : engine.pendingSize,
    },
    snapshots: {
      open: holds.count,
      oldest: holds.oldest && { version: holds.oldest.version, milliseconds: ageOf(kernel, holds.oldest) },
      oldVersions: figure(layout.STAT_OLD_VERSION_COUNT),
    },
    versions: {
      old: figure(layout.STAT_OLD_VERSION_COUNT),
      heldByViews: engine.number(layout.CONTROL_SEEN_VERSION_COUNT),
      heldByHistory: figure(layout.STAT_OLD_VERSION_COUNT) - engine.number(layout.CONTROL_SEEN_VERSION_COUNT),
    },
    views: {
      snapshots: viewsOf(kernel, 'snapshot'),
      transactions: viewsOf(kernel, 'transaction'),
      scans: viewsOf(kernel, 'scan'),
      copies: viewsOf(kernel, 'copy'),
      watches: { ...viewsOf(kernel, 'watch'), segments: engine.number(layout.CONTROL_WATCHED_SEGMENT_COUNT) },
    },
    commits: { applied: figure(layout.STAT_VERSION) - (log?.firstVersion ?? 0), conflicts: engine.conflictCount },
    memory: {
      bytes: figure(layout.STAT_MEMORY_SIZE),
      reservedBytes: figure(layout.STAT_MEMORY_RESERVED_SIZE),
      idleBytes: figure(layout.STAT_MEMORY_IDLE_SIZE),
      indexBytes: figure(layout.STAT_INDEX_SIZE),
      orderBytes: figure(layout.STAT_ORDER_SIZE),
      segmentBytes: figure(layout.STAT_SEGMENT_COUNT) * engine.segmentSize,
      oldVersionBytes: engine.number(layout.CONTROL_OLD_VERSION_SIZE),
    },
    compaction: {
      debtBytes: engine.number(layout.CONTROL_COMPACTION_DEBT),
      movedBytes: engine.number(layout.CONTROL_COMPACTION_MOVED),
      emptiedSegments: engine.number(layout.CONTROL_COMPACTION_EMPTIED),
      forgottenDeletes: engine.number(layout.CONTROL_COMPACTION_FORGOTTEN),
    },
    file: log === undefined ? undefined : {
      bytes: failed ? 0 : log.device.size(),
      slots: log.slots.count,
      freeSlots: log.slots.freeCount,
      readySlots: figure(layout.STAT_READY_SLOT_COUNT) + log.slots.reserveCount,
      slotStalls: log.slots.stallCount,
      flushes: log.flushes.count,
      flushMilliseconds: log.flushes.milliseconds,
      flushLatency: log.flushes.latency.summary(),
      images: { written: log.image.finishedCount, bytes: log.image.writtenSize },
    },
  };
}

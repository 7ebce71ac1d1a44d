/**
 * The layout of linear memory that both sides know: the control block, through which the core shows the facade its results
 * without an object or a second call. Portable: read by asc and by tsc.
 */

/** Where the next record will stand. The facade writes key and value behind its header. */
export const CONTROL_WRITE_POINTER = 64;
/** How many bytes of key and value fit there. */
export const CONTROL_WRITE_ROOM = 68;
/** Bytes in the log that have not been handed to the device. */
export const CONTROL_PENDING_SIZE = 72;
/** Where the value that the last lookup found stands, and its size; for a value in parts, of the list. */
export const CONTROL_VALUE_POINTER = 76;
export const CONTROL_VALUE_SIZE = 80;
/** A value up to this size is shown in a window of its own, at its beginning, which is aligned. */
export const SMALL_VALUE_SIZE = 128;
/** Not 0 once a record that may expire was met: then the core is to be told the time. */
export const CONTROL_HAS_EXPIRY = 84;
/** The version that the last call met or made. */
export const CONTROL_VERSION = 88;
/** The next bytes for the device: where they are, how many, in which slot and at which offset of it. */
export const CONTROL_OUTPUT_POINTER = 96;
export const CONTROL_OUTPUT_SIZE = 100;
export const CONTROL_OUTPUT_SLOT = 104;
export const CONTROL_OUTPUT_OFFSET = 108;
/** Where damage was found. */
export const CONTROL_DAMAGE_SEQUENCE = 112;
export const CONTROL_DAMAGE_SLOT = 120;
export const CONTROL_DAMAGE_OFFSET = 124;
export const CONTROL_DAMAGE_REASON = 128;
export const CONTROL_DAMAGE_SIZE = 132;
/** What recovery counted. */
export const CONTROL_FRAME_COUNT = 136;
export const CONTROL_RECORD_COUNT = 144;
export const CONTROL_BYTE_COUNT = 152;
/** What a superblock or a segment header says. */
export const CONTROL_FORMAT_VERSION = 160;
export const CONTROL_SEGMENT_SIZE_SHIFT = 164;
export const CONTROL_ROOT_SLOT = 168;
export const CONTROL_FLAGS = 172;
export const CONTROL_NEXT_SLOT = 176;
export const CONTROL_SEQUENCE = 184;
/** Figures for `stats()`, as doubles. */
export const CONTROL_STATS = 192;
export const CONTROL_STATS_COUNT = 18;
/** Of which commits something may be lost to the damage: those above the first version and up to the second; 0 where that is not known. */
export const CONTROL_DAMAGE_AFTER = 336;
export const CONTROL_DAMAGE_UP_TO = 344;
/** Not 0 while an error that comes out of the core would leave something half-done. */
export const CONTROL_IS_CHANGING = 352;
/** Not 0 where memory is short and what could leave it is not durable: the log is to be flushed soon. */
export const CONTROL_IS_SHORT = 356;
/** The image of the index that the superblock names: the first of its slots, and how many there are; 0 where there is none. */
export const CONTROL_IMAGE_SLOT = 360;
export const CONTROL_IMAGE_COUNT = 364;
/** When the version that `versionBefore` has found was committed, in epoch milliseconds; 0 where its frame tells. */
export const CONTROL_TIME = 368;
/** Random words that the facade hands to `init`: store id, then the entropy of salts and of the hash seed. */
export const CONTROL_ENTROPY = 384;
export const CONTROL_ENTROPY_SIZE = 32;
/** How far a copy of the store has come: bytes of the log that were looked through, and of how many; records copied, and the bytes of their keys and values. */
export const CONTROL_COPY_DONE = 416;
export const CONTROL_COPY_TOTAL = 424;
export const CONTROL_COPY_RECORDS = 432;
export const CONTROL_COPY_BYTES = 440;

/** Of the old versions that are kept, how many a view sees; the bytes that what knows of them takes; segments that hold nothing live and wait for watches. */
export const CONTROL_SEEN_VERSION_COUNT = 448;
export const CONTROL_OLD_VERSION_SIZE = 456;
export const CONTROL_WATCHED_SEGMENT_COUNT = 464;

/** The low and the high half of a hash that is continued over more bytes. */
export const CONTROL_HASH_LOW = 472;
export const CONTROL_HASH_HIGH = 476;
/** Of compaction, for `stats()`: the bytes that it owes, the bytes of records that it has copied, the segments that it has emptied, and the deletes that it has forgotten. */
export const CONTROL_COMPACTION_DEBT = 480;
export const CONTROL_COMPACTION_MOVED = 488;
export const CONTROL_COMPACTION_EMPTIED = 496;
export const CONTROL_COMPACTION_FORGOTTEN = 504;

/** What a step of a copy ends with: its work was enough for one step; a segment is ready to be taken; the last one is. */
export const COPY_PAUSED = 0;
export const COPY_SEGMENT = 1;
export const COPY_LAST = 2;

/** A scan's block: how many items of its batch the facade has handed on, which the facade counts, one more when it has said that there is no more; and the batch. */
export const CURSOR_CONSUMED = 124;
export const CURSOR_ITEMS = 128;
/** As many as the block has room for, so that a scan of a hundred is one batch. */
export const CURSOR_ITEM_COUNT = 101;
export const ITEM_SIZE = 160;
/** An item: where its key and value are, of which kind the value is, where its key stands in the text of all keys, the version, and room for a small value, where it is aligned. */
export const ITEM_KEY = 0;
export const ITEM_KEY_SIZE = 4;
export const ITEM_VALUE = 8;
export const ITEM_VALUE_SIZE = 12;
export const ITEM_KIND = 16;
export const ITEM_TEXT = 20;
export const ITEM_VERSION = 24;
export const ITEM_ROOM = 32;
export const ITEM_ROOM_SIZE = 128;
/** The longest text that the keys of a batch are decoded as, in bytes: each key that somebody keeps keeps all of it. */
export const TEXT_SIZE_MAX = 4096;

// The order of the figures in CONTROL_STATS.
export const STAT_KEY_COUNT = 0;
export const STAT_TOMBSTONE_COUNT = 1;
export const STAT_LIVE_SIZE = 2;
export const STAT_SEGMENT_COUNT = 3;
export const STAT_DEAD_SEGMENT_COUNT = 4;
export const STAT_INDEX_SIZE = 5;
export const STAT_MEMORY_SIZE = 6;
export const STAT_MEMORY_IDLE_SIZE = 7;
export const STAT_VERSION = 8;
export const STAT_LOG_SIZE = 9;
export const STAT_LISTED_SEGMENT_COUNT = 10;
export const STAT_READY_SLOT_COUNT = 11;
export const STAT_INDEX_SLOT_COUNT = 12;
export const STAT_CEILING = 13;
export const STAT_SEAL = 14;
export const STAT_MEMORY_RESERVED_SIZE = 15;
export const STAT_OLD_VERSION_COUNT = 16;
export const STAT_ORDER_SIZE = 17;

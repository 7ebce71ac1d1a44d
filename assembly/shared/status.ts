/**
 * What the core answers. Every export that can fail returns one of these, or a result that is not negative.
 * Portable: `src/engine/failure.ts` turns them into error classes, in one table.
 */
export const STATUS_OK = 0;
/** Linear memory cannot grow. Nothing was changed. */
export const STATUS_MEMORY_FULL = -1;
/** The log needs a zeroed slot: hand one over with `slotReady` and call again. */
export const STATUS_NEED_SLOT = -2;
/** Versions have reached the durable ceiling: raise it with `setCeiling` and call again. */
export const STATUS_NEED_CEILING = -3;
/** The record does not fit into a segment. */
export const STATUS_TOO_LARGE = -4;
/** The key has another version than the caller expects. Nothing was changed. */
export const STATUS_MISMATCH = -5;
/** There is no such key. */
export const STATUS_ABSENT = -6;
/** The bytes are damaged; the control block names segment, offset and reason. */
export const STATUS_CORRUPT = -7;
/** Not a varve store. */
export const STATUS_NOT_VARVE = -8;
/** A newer format version. */
export const STATUS_FORMAT_TOO_NEW = -9;
/** There is nothing here: a slot that was never used. */
export const STATUS_EMPTY = -10;
/** The list of live segments does not fit into a segment header. */
export const STATUS_TOO_MANY_SEGMENTS = -11;
/** What a session relied on was committed anew since it began. Nothing was changed. */
export const STATUS_CONFLICT = -12;

/** A watch has lost its place: what it had yet to read was given up. */
export const STATUS_LAGGED = -13;
/** A frame is to be closed whose time nobody has told: say it with `setTime` and call again. */
export const STATUS_NEED_TIME = -14;

// Why bytes are taken for damaged, or a tail for torn.
export const REASON_NONE = 0;
export const REASON_FRAME_HEAD = 1;
export const REASON_FRAME_BODY = 2;
export const REASON_DECLARATIONS = 3;
export const REASON_BELOW_SEAL = 4;
export const REASON_CONTENT = 5;
export const REASON_SEGMENT_HEADER = 6;
export const REASON_SEGMENT_MISSING = 7;
export const REASON_SEGMENT_CUT = 8;
export const REASON_SUPERBLOCK = 9;
export const REASON_INCOMPLETE_COMMIT = 10;

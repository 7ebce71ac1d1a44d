/** The limits that callers meet. Portable: read by asc and by tsc. */

/** The largest encoded key, in bytes. A segment below 256 KiB lowers it: see `maxKeySize` of the core. */
export const MAX_KEY_SIZE = 0x20000;
/** The largest encoded value, in bytes. */
export const MAX_VALUE_SIZE = 0x10000000;
/** The number of value kinds: what a codec may leave in a record's flags. */
export const VALUE_KIND_COUNT = 16;
/** Versions stay below 2^48: exact as a number in JavaScript, and 48 bits in the log. */
export const VERSION_BITS = 48;
/** A value that takes more than this share of a segment goes in parts, rather than leave the rest of a segment unused: an eighth. */
export const PARTS_SHARE_SHIFT = 3;
/** The least that is worth making a part of, in bytes. */
export const PART_SIZE_MIN = 512;

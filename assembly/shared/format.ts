/**
 * The durable format: every number that a byte of the file depends on. FORMAT.md describes it in prose, and a test compares the two.
 * Portable: read by asc and by tsc, so it holds nothing but integer constants up to 0x7fffffff.
 */

/** The version of the format that this release writes, and the newest that it reads. */
export const FORMAT_VERSION = 1;

/** Addresses count units of this many bytes, and everything in the log begins at one. */
export const ADDRESS_UNIT_SHIFT = 3;
/** An address, a version and a time use this many bits of the 64-bit word they stand in. */
export const WORD_FIELD_BITS = 48;
/** The sector that a medium writes whole or not at all, in bytes. */
export const SECTOR_SIZE = 512;
export const SECTOR_SHIFT = 9;

/** Segments are at least 4 KiB and at most 16 MiB. */
export const SEGMENT_SIZE_SHIFT_MIN = 12;
export const SEGMENT_SIZE_SHIFT_MAX = 24;

// ── The file: two superblocks, then the slots ──────────────────────────────────────────────────────────────────────
/** The size of a superblock in bytes; two of them stand at the beginning of the file. */
export const SUPERBLOCK_SIZE = 4096;
/** Each superblock holds the same record twice, this many bytes apart, so that one damaged sector leaves a good copy. */
export const SUPERBLOCK_COPY_STRIDE = 2048;
/** The offset of slot 0 in the file, in bytes. */
export const SLOTS_OFFSET = 8192;

export const SUPERBLOCK_MAGIC_LOW = 0x76726176; // "varv"
export const SUPERBLOCK_MAGIC_HIGH = 0x0a1a0d65; // "e", then bytes that a text transfer would change
export const SUPERBLOCK_MAGIC = 0;
export const SUPERBLOCK_FORMAT_VERSION = 8;
export const SUPERBLOCK_SEGMENT_SIZE_SHIFT = 12;
export const SUPERBLOCK_STORE_ID_LOW = 16;
export const SUPERBLOCK_STORE_ID_HIGH = 24;
export const SUPERBLOCK_GENERATION = 32;
export const SUPERBLOCK_VERSION_CEILING = 40;
export const SUPERBLOCK_ROOT_SEQUENCE = 48;
export const SUPERBLOCK_TAIL = 56;
export const SUPERBLOCK_VERSION = 64;
export const SUPERBLOCK_ROOT_SLOT = 72;
export const SUPERBLOCK_FLAGS = 76;
/** The image of the index that recovery may begin with: its identity, 0 where there is none, the first of its slots, and how many there are. */
export const SUPERBLOCK_IMAGE_ID = 80;
export const SUPERBLOCK_IMAGE_SLOT = 88;
export const SUPERBLOCK_IMAGE_COUNT = 92;
export const SUPERBLOCK_HASH = 120;
export const SUPERBLOCK_RECORD_SIZE = 128;
/** The store was closed in order: nothing was issued above the version that the superblock names. */
export const SUPERBLOCK_FLAG_CLEAN = 1;

// ── A segment header, at offset 0 of a slot ────────────────────────────────────────────────────────────────────────
export const SEGMENT_MAGIC_LOW = 0x4d474553; // "SEGM"
export const SEGMENT_MAGIC_HIGH = 0x31544e45; // "ENT1"
export const SEGMENT_MAGIC = 0;
export const SEGMENT_SEQUENCE = 8;
export const SEGMENT_STORE_ID_LOW = 16;
export const SEGMENT_STORE_ID_HIGH = 24;
export const SEGMENT_SALT = 32;
export const SEGMENT_SLOT = 40;
export const SEGMENT_NEXT_SLOT = 44;
export const SEGMENT_PREVIOUS_END = 48;
export const SEGMENT_PREVIOUS_HASH = 56;
export const SEGMENT_SEAL = 64;
export const SEGMENT_VERSION_CEILING = 72;
export const SEGMENT_VERSION = 80;
export const SEGMENT_LIST_COUNT = 88;
export const SEGMENT_LIST_SIZE = 92;
export const SEGMENT_LIST_HASH = 96;
export const SEGMENT_HASH = 120;
/** The list of live segments follows the header; the first frame begins at the next address unit. */
export const SEGMENT_HEADER_SIZE = 128;

// ── A chunk of an image of the index ───────────────────────────────────────────────────────────────────────────────
/** Bytes of a chunk, or of a segment where that has fewer: what is written in one go while the store is used. */
export const IMAGE_CHUNK_SIZE = 32768;
export const IMAGE_MAGIC_LOW = 0x49444e49; // "INDI"
export const IMAGE_MAGIC_HIGH = 0x3247414d; // "MAG2"
export const IMAGE_MAGIC = 0;
export const IMAGE_ID = 8;
export const IMAGE_STORE_ID_LOW = 16;
export const IMAGE_STORE_ID_HIGH = 24;
export const IMAGE_SLOT = 32;
export const IMAGE_NEXT_SLOT = 36;
export const IMAGE_INDEX = 40;
export const IMAGE_SIZE = 44;
export const IMAGE_CONTENT_HASH = 48;
export const IMAGE_HASH = 56;
export const IMAGE_HEADER_SIZE = 64;
/** What an entry of the content is, in its first byte. */
export const ENTRY_FACTS = 1;
export const ENTRY_SEGMENT = 2;
export const ENTRY_PAGE = 3;
/** What is so of the store as a whole, once, first. */
export const FACTS_DEPTH = 1;
export const FACTS_HAS_EXPIRY = 2;
export const FACTS_ADDRESS = 8;
export const FACTS_VERSION = 16;
export const FACTS_SECRET_LOW = 24;
export const FACTS_SECRET_HIGH = 32;
export const FACTS_SIZE = 40;
/** A segment that the index points into, or did. */
export const KEPT_IS_ENDED = 1;
export const KEPT_SEQUENCE = 8;
export const KEPT_SEED = 16;
export const KEPT_LAST_HASH = 24;
export const KEPT_PREVIOUS_END = 32;
export const KEPT_PREVIOUS_HASH = 40;
export const KEPT_SEAL = 48;
export const KEPT_VERSION_CEILING = 56;
export const KEPT_VERSION = 64;
export const KEPT_FIRST_VERSION = 72;
export const KEPT_SLOT = 80;
export const KEPT_NEXT_SLOT = 84;
export const KEPT_HEADER_END = 88;
export const KEPT_END = 92;
export const KEPT_LIVE = 96;
export const KEPT_KEY_COUNT = 100;
export const KEPT_TOMBSTONE_COUNT = 104;
export const KEPT_EXPIRING_COUNT = 108;
export const KEPT_SIZE = 112;
/** Some groups of 64 slots of a page of the index: each a bitmap of the slots that are taken, and these. */
export const PAGE_DEPTH = 1;
export const PAGE_FIRST_GROUP = 2;
export const PAGE_GROUP_COUNT = 3;
export const PAGE_PREFIX = 4;
export const PAGE_HEADER_SIZE = 8;

// ── A frame: head, records, and the declarations of its nearly empty sectors ───────────────────────────────────────
export const FRAME_MAGIC_VALUE = 0x5af1;
export const FRAME_MAGIC = 0;
export const FRAME_FLAGS = 2;
export const FRAME_BODY_SIZE = 4;
export const FRAME_RECORD_COUNT = 8;
export const FRAME_PENDING_COUNT = 12;
/** 48 bits of version; the 16 bits above hold the low half of the declaration count. */
export const FRAME_VERSION = 16;
/** 48 bits of time; the 16 bits above hold the high half of the declaration count. */
export const FRAME_TIME = 24;
/** 48 bits of address; the 16 bits above are zero. */
export const FRAME_SEAL = 32;
export const FRAME_BODY_HASH = 40;
export const FRAME_HEAD_HASH = 48;
export const FRAME_HEAD_SIZE = 56;
/** The last frame of its segment: the log goes on in the segment that the header names as next. */
export const FRAME_FLAG_END = 1;
/** Written by compaction: records carry versions older than the frame's. */
export const FRAME_FLAG_COMPACTION = 2;
/** Without records: it says that what stands before it was flushed. */
export const FRAME_FLAG_SEAL = 4;
/** A declaration is 8 bytes; a hash of the same size ends the declarations of a frame that has any. */
export const DECLARATION_SIZE = 8;
/** Set in a declaration that names the one bit of a sector, and not a run of zero sectors. */
export const DECLARATION_SINGLE_BIT = 63;

// ── A record ───────────────────────────────────────────────────────────────────────────────────────────────────────
/** Low 32 bits of the hash over the rest of the record but the link. */
export const RECORD_CHECK = 0;
export const RECORD_VALUE_SIZE = 4;
/** 48 bits of version; the 16 bits above hold the low half of the key's size. */
export const RECORD_VERSION = 8;
export const RECORD_KEY_SIZE_LOW = 14;
/** 48 bits: the address of the version before this one, as it was when the frame was closed. Outside the check. */
export const RECORD_LINK = 16;
export const RECORD_FLAGS = 22;
export const RECORD_HEADER_SIZE = 24;
/** The expiry, in epoch milliseconds, stands between header and key in records that have the flag. */
export const RECORD_EXPIRY_SIZE = 8;
export const RECORD_KIND_MASK = 0x000f;
export const RECORD_FLAG_TOMBSTONE = 0x0010;
export const RECORD_FLAG_EXPIRY = 0x0020;
/** A part of a value too large for one record: it has no key. */
export const RECORD_FLAG_PART = 0x0040;
/** The value is kept in parts: this record's value is the total size, then the addresses of the parts. */
export const RECORD_FLAG_LARGE = 0x0080;
/** Compaction has moved the record out of the frame that said when it was committed: that time, in epoch milliseconds, stands in place of the link, and the check covers it. */
export const RECORD_FLAG_TIME = 0x0100;
/** The two highest flag bits are bits 16 and 17 of the key's size. */
export const RECORD_KEY_SIZE_HIGH_SHIFT = 14;

// ── Seeds: constants that keep the hashes of different things apart ────────────────────────────────────────────────
export const SEED_SUPERBLOCK = 0x53555045;
export const SEED_SEGMENT = 0x5345474d;
export const SEED_LIST = 0x4c495354;
export const SEED_FRAME_HEAD = 0x48454144;
export const SEED_FRAME_BODY = 0x424f4459;
export const SEED_DECLARATIONS = 0x4445434c;
export const SEED_RECORD = 0x5245434f;
export const SEED_IMAGE = 0x494d4147;

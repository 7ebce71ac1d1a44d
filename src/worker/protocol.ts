/** What a page and the worker that has the store say to one another. Both always come from one build of the library, because a worker that serves other pages first compares `RELEASE`. */
import type { Recovery } from '../durability/recover.js';
import type { WasmModule } from '../engine/wasm-types.js';
import type { Settings } from '../options.js';
import type { RestoreReport } from '../restoring.js';
import type { ToldError } from './told-error.js';

/** Changes whenever what crosses changes: pages of two releases do not understand one another. */
export const RELEASE = 2;

/*
 * A call is its operation, its number, which is 0 for one that is not answered, and what stands behind it here. A view is 0 for the store as it is, or the number of a snapshot or transaction; numbers of
 * views, cursors and watches are the page's choice. Keys are encoded, with the prefix of their keyspace; a range is where it begins, where it ends, a byte for its direction, and a number for its limit.
 * An expiry is -1 where there is none.
 */

/** view, key → value */
export const OP_GET = 1;
/** view, key → value, and its version if there is one */
export const OP_ENTRY = 2;
/** view, key → 0 or 1 */
export const OP_HAS = 3;
/** view, range → number */
export const OP_COUNT = 4;
/** view, cursor, sort of items, range → items */
export const OP_SCAN = 5;
/** cursor, key → items */
export const OP_HISTORY = 6;
/** cursor → items */
export const OP_MORE = 7;
/** cursor; not answered */
export const OP_END_CURSOR = 8;
/** key, expiry, value → version */
export const OP_PUT = 9;
/** key → version */
export const OP_DELETE = 10;
/** key, expected version, expiry, value → 0 or 1, version */
export const OP_CAS = 11;
/** count, and of each: key, expiry, value → version */
export const OP_BATCH = 12;
/** view, version or -1 → version */
export const OP_SNAPSHOT = 13;
/** view, 0 or 1 for snapshot isolation → version */
export const OP_BEGIN = 14;
/** view, key, expiry, value; not answered: what is wrong with it is told by the commit */
export const OP_WRITE = 15;
/** view, key, expected version, expiry, value; as OP_WRITE */
export const OP_EXPECT = 16;
/** view → version */
export const OP_COMMIT = 17;
/** view; not answered */
export const OP_END_VIEW = 18;
/** watch, range, since or -1, 1 if the watch goes on from another worker → version from which it watches */
export const OP_WATCH = 19;
/** watch → count, and of each commit: version, time, count of changes, and of each: key, value */
export const OP_COMMITS = 20;
/** watch; not answered */
export const OP_END_WATCH = 21;
/** → nothing */
export const OP_FLUSH = 22;
/** → text of JSON */
export const OP_STATS = 23;
/** → nothing */
export const OP_VERIFY = 24;
/** → text of JSON */
export const OP_KEYSPACES = 25;
/** name → version */
export const OP_DROP = 26;
/** how existing keys are met, count, and of each: key, expiry, value → count of what was written, version, place of the key that exists where that ends it */
export const OP_RECORDS = 27;
/** job → text of JSON */
export const OP_COMPACT = 28;
/** job, 1 if history is copied → part */
export const OP_BACKUP = 29;
/** job → part: bytes of the log that were looked through, how many there are, and bytes that were written before; then 1 and the next bytes, or 0 and text of JSON at the end */
export const OP_PART = 30;
/** job; not answered */
export const OP_END_JOB = 31;

/** Of OP_RECORDS, in the place of the key that exists: there is none that ends it. */
export const NO_CLASH = -1;

/** An answer is the number of its call, one of these, the size of the rest, and what the operation gives, or the text of JSON of a `ToldError`. */
export const ANSWER_OK = 0;
export const ANSWER_ERROR = 1;
/** The view, cursor or watch of the call is not this worker's: it was another's, which is gone. Nothing stands behind it. */
export const ANSWER_LOST = 2;

export const ANSWER_SIZE_OFFSET = 5;
export const ANSWER_HEAD_SIZE = 9;

/** Items are a byte that says whether there are more, their count, and of each what its sort has: an entry key, value, version; a change value, version, time; a record key, value, expiry. */
export const SORT_ENTRIES = 0;
export const SORT_KEYS = 1;
export const SORT_VALUES = 2;
export const SORT_CHANGES = 3;
export const SORT_RECORDS = 4;

/** The options that concern whoever opens the file, checked and with every default: codecs stay in the page, with whatever they hold. */
export type StoreSettings = Omit<Settings, 'values' | 'ownBuffers' | 'module' | 'onWarning'>;

/** What a worker says of the store that it serves. */
export interface Hello {
  readonly release: number;
  /** Which of all workers that ever serve the store this is. */
  readonly term: string;
  readonly recovery: Recovery;
  /** The options that all pages must agree on, as text. */
  readonly agreed: string;
}

export interface Warned {
  readonly code: string;
  readonly message: string;
}

/** What a page tells the worker that it has started, beside messages of calls. */
export type ToWorker =
  | { readonly type: 'start'; readonly path: string; readonly settings: StoreSettings; readonly agreed: string; readonly module: WasmModule; readonly isShared: boolean }
  /** Makes a store of the bytes that follow, a message each, the last of them empty. */
  | { readonly type: 'restore'; readonly path: string; readonly overwrite: boolean; readonly settings: StoreSettings; readonly module: WasmModule }
  /** Ends in order: the store, or what is being restored, of which nothing is left then. */
  | { readonly type: 'close' };

/** What the worker tells the page that has started it, beside messages of answers. */
export type FromWorker =
  | { readonly type: 'serving'; readonly hello: Hello }
  | { readonly type: 'refused'; readonly error: ToldError }
  /** The next bytes to restore from are wanted; so many are written. */
  | { readonly type: 'more'; readonly written: number }
  | { readonly type: 'restored'; readonly report: RestoreReport }
  | { readonly type: 'warning'; readonly warning: Warned }
  /** The store has stopped after a failure: the worker has told everyone whom it concerns, and is to be ended. */
  | { readonly type: 'failed' }
  | { readonly type: 'closed'; readonly error: ToldError | undefined };

/** What is said on the channel of a store, to all its pages. */
export type OnControl =
  | { readonly type: 'who' }
  | { readonly type: 'here'; readonly hello: Hello }
  /** Send nothing more to this worker, and say so to it. */
  | { readonly type: 'closing'; readonly term: string };

/** What a page tells a worker of another page, on the worker's own channel. */
export type OnTerm =
  | { readonly client: string; readonly calls: ArrayBuffer }
  /** `joined`: calls may come from this page. Otherwise nothing more comes from it, because the worker is closing, or because the page is done with the store. */
  | { readonly client: string; readonly type: 'joined' | 'drained' | 'bye' };

/** What a worker tells a page other than its own, on that page's channel. */
export type OnClient =
  | { readonly answers: ArrayBuffer }
  | { readonly warning: Warned }
  /** Everything that was called was answered, and the store is about to be closed. */
  | { readonly type: 'gone' };

/** The names of channels and locks. */
export const controlName = (path: string): string => `varve:${path}`;
export const termName = (path: string, term: string): string => `varve:${path}:${term}`;
export const clientName = (path: string, term: string, client: string): string => `varve:${path}:${term}:${client}`;
/** The lock that the page holds whose worker has the file. */
export const leaderLock = (path: string): string => `varve:${path}`;
/** The lock that a page holds as long as it is there. */
export const clientLock = (path: string, client: string): string => `varve:${path}:client:${client}`;

/** A name that nobody else has. Not a UUID of the platform, which insecure pages lack. */
export function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

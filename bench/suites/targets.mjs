/**
 * The aims of the engine, measured as they are worded: each figure has a bound, and is met or not. Keys are strings of 16 characters, values `Uint8Array`s of 100
 * bytes, unless a figure says otherwise. Rates are medians over rounds; shares are medians of the rounds' own ratios.
 */
import { pauses } from './targets/pauses.mjs';
import { reads } from './targets/reads.mjs';
import { recovery } from './targets/recovery.mjs';
import { scanAims } from './targets/scans.mjs';
import { size, space } from './targets/space.mjs';
import { transactionAims } from './targets/transactions.mjs';
import { bufferedWrites, memoryWrites, strictWrites } from './targets/writes.mjs';

/** Each job runs in a process of its own. @type {Record<string, (context: import('../harness/context.mjs').Context) => Promise<import('../harness/figures.mjs').Figure[]>>} */
export const jobs = { reads, bufferedWrites, memoryWrites, strictWrites, recovery, space, pauses, size, ...transactionAims, ...scanAims };

/** The suites that run wherever the store does, in browsers too: what they take of the platform is in `bench/harness/platform.mjs`, `bench/harness/garbage.mjs`, `bench/subjects/build.mjs` and `bench/floors/beside.mjs`. */
import { jobs as growth } from './growth.mjs';
import { jobs as kv } from './kv.mjs';
import { jobs as recovery } from './recovery.mjs';
import { jobs as scan } from './scan.mjs';
import { jobs as transactions } from './transactions.mjs';

export const PORTABLE = { kv, transactions, scan, recovery, growth };

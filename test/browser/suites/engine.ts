/** The core and the facade on the browser's own engine: suites that need no files. */
import '../../unit/commit-rules.test.js';
import '../../unit/expiry.test.js';
import '../../unit/hermitage-ranges.test.js';
import '../../unit/hermitage.test.js';
import '../../unit/history.test.js';
import '../../unit/keyspace.test.js';
import '../../unit/ranges.test.js';
import '../../unit/session-scans.test.js';
import '../../unit/transactions.test.js';
import '../../unit/watch.test.js';

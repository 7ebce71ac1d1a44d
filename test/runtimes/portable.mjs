/** Which test files run in every runtime, and which are left out where, with the reason. */

const UNIT = [
  'adversarial-keys', 'commit-rules', 'errors', 'exhausted-memory', 'expiry', 'forgery', 'format', 'hermitage', 'hermitage-ranges', 'history', 'history-reopened', 'hostile-files', 'invariants', 'invariants-recovery',
  'key-codec', 'keyspace', 'lock', 'long-keys', 'many-segments', 'process', 'ranges', 'reentrancy', 'repair', 'rewritten', 'secrets', 'session-scans', 'simulated-disk', 'stale-bytes', 'store', 'store-values',
  'transactions', 'value-codec', 'watch', 'watch-waiting',
];
const SIMULATION = ['crash-transactions', 'damage', 'durability', 'failures', 'io-errors', 'model', 'restarts', 'scans', 'snapshots', 'tears', 'transactions'];

export const PORTABLE = [
  'test/contract/device.test.ts',
  'test/contract/zeroing.test.ts',
  ...UNIT.map((name) => `test/unit/${name}.test.ts`),
  ...SIMULATION.map((name) => `test/simulation/${name}.test.ts`),
  'test/isolation/anomalies.test.ts',
  'test/process/kill.test.ts',
  'test/process/moved.test.ts',
  'test/process/other-runtime.test.ts',
];

/** @type {Record<string, Record<string, string> | undefined>} by runtime and file */
export const LEFT_OUT = {};

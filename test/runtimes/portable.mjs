/**
 * Which test files run in every runtime: the contract of devices, the API, codecs and invariants, the models, crash recovery, real processes that are killed, and the lock, also against another runtime. What is left
 * out of them somewhere is named with its reason. The rest of the suite looks into the core, the
 * file's bytes or the tests themselves, which are the same bytes everywhere, or turns the clock by vitest's own timers.
 */

const UNIT = [
  'errors', 'expiry', 'hermitage', 'history', 'invariants', 'invariants-recovery', 'key-codec', 'keyspace', 'lock', 'process', 'ranges', 'repair', 'store', 'store-values', 'transactions', 'value-codec', 'watch',
];
const SIMULATION = ['model', 'restarts', 'scans', 'snapshots', 'tears'];

export const PORTABLE = [
  'test/contract/device.test.ts',
  'test/contract/zeroing.test.ts',
  ...UNIT.map((name) => `test/unit/${name}.test.ts`),
  ...SIMULATION.map((name) => `test/simulation/${name}.test.ts`),
  'test/process/kill.test.ts',
  'test/process/moved.test.ts',
  'test/process/other-runtime.test.ts',
];

/**
 * @typedef {object} Omission
 * @property {string} file
 * @property {string[]} tests parts of names; none for the whole file
 * @property {string} reason
 */

/** What assumes the socket of a file, which Bun and Deno do not have: their processes are judged by the lock file alone. @type {Omission} */
const WITHOUT_SOCKET = {
  file: 'test/unit/lock.test.ts',
  tests: [
    'the lock is given, named in its file, and given back', 'the name of the socket leaves no room', 'a symbolic link and a hard link to a file that another process holds', 'another thread of the same process is refused, and succeeds one that was ended',
    'another pid namespace in our net namespace, whose socket is free', 'left over where the socket proves it',
  ],
  reason: 'it expects the socket, and the lock goes by its file alone there',
};

/** What an ended thread or a moved folder leaves is a lock file that names this process, which lives: only the socket knows better. @type {Omission[]} */
const LEFT_BY_THE_LIVING = [
  { file: 'test/process/kill.test.ts', tests: ['worker.terminate(), again and again'], reason: 'a thread that was ended leaves the lock file of a process that lives' },
  { file: 'test/process/moved.test.ts', tests: ['the folder was moved'], reason: 'the lock file has moved along, and names a process that lives' },
];

/** By runtime. @type {Record<string, Omission[] | undefined>} */
export const LEFT_OUT = {
  Bun: [
    WITHOUT_SOCKET,
    ...LEFT_BY_THE_LIVING,
    { file: 'test/unit/invariants.test.ts', tests: ['T18: a snapshot that is forgotten'], reason: 'it collects garbage by a flag of V8' },
  ],
  Deno: [
    WITHOUT_SOCKET,
    ...LEFT_BY_THE_LIVING,
    { file: 'test/contract/zeroing.test.ts', tests: [], reason: 'threads do not share descriptors, so there is no queue' },
    { file: 'test/contract/device.test.ts', tests: ['where there is a background queue', 'node: the background queue'], reason: 'threads do not share descriptors, so there is no queue' },
    { file: 'test/contract/device.test.ts', tests: ['a file at its size limit takes what has room'], reason: 'a shell starts Deno without the word that makes it run a program' },
    { file: 'test/unit/lock.test.ts', tests: ['leaves no lock file, however it ends in order'], reason: 'nothing runs at the end of a program that an exception ends; who comes next finds its holder dead' },
    { file: 'test/unit/lock.test.ts', tests: ['a real holder in other namespaces altogether', 'a real holder in another net namespace'], reason: 'unshare starts Deno without the permissions that this process has' },
  ],
};

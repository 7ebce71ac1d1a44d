/**
 * System calls that fail under a real process, one after the other, in every way that makes sense: strace answers them instead of the kernel. Here a sample of each row; `VARVE_EXHAUSTIVE=1`, or
 * `node test/run.mjs syscalls`, runs them all.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Random, seedOf } from '../support/random.js';
import { canTrace } from '../support/strace.js';
import { BASES, Bench, CASE_MODES, type Case } from '../support/syscall-cases.js';
import { runCases, textOfVerdicts, type Verdict } from '../support/syscall-judge.js';

const isExhaustive = process.env['VARVE_EXHAUSTIVE'] === '1';
const seed = seedOf(7);
const random = new Random(seed);
const total = new Map<Verdict, number>();
let folder: string;
let bench: Bench;
let cases: Case[] = [];

/** Takes cases at random, of each call in turn, or all. */
function sample(from: readonly Case[], count: number): Case[] {
  if (isExhaustive) return [...from];
  const calls = [...new Set(from.map(({ injection }) => injection.call))];
  return Array.from({ length: count }, (_, index) => random.pick(from.filter(({ injection }) => injection.call === calls[index % calls.length])));
}

interface Row {
  readonly title: string;
  readonly calls: readonly string[];
  readonly what: RegExp;
  readonly count: number;
  /** How some of the cases must go, so that the row cannot pass by missing what it is about. */
  readonly some: readonly Verdict[];
}

const HARMED: readonly Verdict[] = ['refused', 'full', 'stopped', 'failed to close'];

const rows: readonly Row[] = [
  { title: 'a flush that fails stops the store, leaves those in doubt who waited, and is not tried again (F-40, F-43)', calls: ['fdatasync'], what: /error=(?!EINTR)/, count: 9, some: HARMED },
  { title: 'a new file, or its folder, that cannot be flushed is no store (F-41)', calls: ['fsync'], what: /error=(?!EINTR)/, count: 4, some: HARMED },
  { title: 'no room, wherever a write meets it, costs nothing that was acknowledged (F-42)', calls: ['pwrite64'], what: /ENOSPC|EDQUOT|EFBIG/, count: 9, some: HARMED },
  { title: 'a write that takes no byte is an error, and not tried for ever (F-42)', calls: ['pwrite64'], what: /retval=0/, count: 3, some: HARMED },
  { title: 'what was interrupted is done again, a bounded number of times (F-44)', calls: ['openat', 'pwrite64', 'pread64', 'fdatasync', 'ftruncate'], what: /EINTR|EAGAIN/, count: 7, some: ['unharmed'] },
  { title: 'a write that fails stops the store (F-45)', calls: ['pwrite64'], what: /EIO|EROFS/, count: 7, some: HARMED },
  { title: 'a file that cannot be opened is a refusal that says why, and leaves nothing open (F-46, I8)', calls: ['openat'], what: /error=(?!EINTR)/, count: 7, some: HARMED },
  { title: 'a read that fails is not the end of the log (F-32)', calls: ['pread64'], what: /error=EIO/, count: 4, some: HARMED },
  { title: 'a close that fails says so where that matters, and the next open recovers (F-48)', calls: ['close', 'ftruncate'], what: /error=(?!EINTR)/, count: 6, some: HARMED },
  { title: 'the lock file, and what is asked about files, may fail too (F-46, F-62)', calls: ['read', 'write', 'statx', 'unlink', 'rename'], what: /error=/, count: 6, some: ['unharmed', ...HARMED] },
  { title: 'killed at any call that changes a file, the store is what the calls before made of it (F-08)', calls: [], what: /SIGKILL/, count: 10, some: ['killed'] },
];

describe.skipIf(!canTrace())('system calls', () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'varve-syscalls-'));
    bench = await Bench.make(folder, seed);
    for (const base of BASES) for (const mode of CASE_MODES) cases.push(...await bench.cases(base, mode));
  });

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
    process.stdout.write(`of ${cases.length} ways to fail: ${textOfVerdicts(total)}\n`);
  });

  for (const { title, calls, what, count, some } of rows) {
    test(title, async () => {
      const fitting = cases.filter(({ injection }) => (calls.length === 0 || calls.includes(injection.call)) && what.test(injection.what));
      expect(fitting.length).toBeGreaterThan(count);
      const { verdicts, wrong } = await runCases(bench, sample(fitting, count), availableParallelism());
      for (const [key, found] of verdicts) total.set(key, (total.get(key) ?? 0) + found);
      expect(wrong.join('\n\n'), `seed ${seed}`).toBe('');
      expect(some.some((verdict) => verdicts.has(verdict)), JSON.stringify([...verdicts])).toBe(true);
    }, isExhaustive ? 7_200_000 : undefined);
  }
});

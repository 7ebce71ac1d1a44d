/**
 * Every way in which a system call of a store can fail: which call, with which error, which one of them, once or from then on. What calls there are is learnt from a run in which nothing fails.
 */
import { copyFileSync, mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { open } from '../../src/open.js';
import { bundleProgram } from './children.js';
import { Ledger } from './ledger.js';
import { MODES } from './killing.js';
import { perform } from './life.js';
import { textOfInjection, trace, type Injection, type Traced } from './strace.js';
import type { Workload } from './syscall-workload.js';

/** Whether the process makes the store, or recovers one that was killed, whose lock file it finds. */
export const BASES = ['create', 'recover'] as const;
export type Base = (typeof BASES)[number];
export const CASE_MODES = ['strict', 'strict, blocking', 'buffered'] as const;
export type CaseMode = (typeof CASE_MODES)[number];

export interface Case {
  readonly base: Base;
  readonly mode: CaseMode;
  readonly injection: Injection;
}

export const textOfCase = ({ base, mode, injection }: Case): string => `${base}, ${mode}, ${textOfInjection(injection)}`;

const SEGMENT_SIZE = 4096;
const GROUPS = 6;
/** The life that the template was written in. The sessions of the process follow. */
const TEMPLATE_LIFE = 0;
export const FIRST_LIFE = 1;
const TEMPLATE_OPERATIONS = 12;
/** The name of the one who held the template last. Its beginning is in the name of the file with which the lock is claimed. */
const NONCE = 'a'.repeat(32);
const CALLS = 'openat,read,write,pread64,pwrite64,pwritev,fdatasync,fsync,fallocate,ftruncate,close,statx,access,link,unlink,rename';

/** Errors of each call that make sense, and whether the library below the store tries again for ever when they last for ever, so that only the first is of interest. */
const ERRORS: Readonly<Record<string, readonly string[]>> = {
  openat: ['EACCES', 'EMFILE', 'ENFILE', 'EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EINTR'],
  pwrite64: ['EIO', 'ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EAGAIN', 'EINTR'],
  pread64: ['EIO', 'EAGAIN', 'EINTR'],
  fdatasync: ['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'EAGAIN', 'EINTR'],
  fsync: ['EIO', 'ENOSPC', 'EDQUOT', 'EINTR'],
  ftruncate: ['EIO', 'EPERM', 'ENOSPC', 'EINTR'],
  close: ['EIO', 'ENOSPC', 'EINTR'],
  read: ['EIO', 'EINTR'],
  write: ['EIO', 'ENOSPC', 'EDQUOT', 'EINTR'],
  statx: ['EIO', 'EACCES'],
  link: ['EIO', 'EPERM', 'ENOSPC'],
  unlink: ['EIO', 'EACCES', 'EROFS'],
  rename: ['EIO', 'EACCES', 'ENOSPC', 'EROFS'],
};
const HANGS_FOR_EVER = new Set(['EINTR']);
/** The calls that change a file: to be killed at one of them leaves what the ones before have done. */
const KILLED_AT = new Set(['openat', 'pwrite64', 'write', 'fdatasync', 'fsync', 'ftruncate', 'close', 'link', 'unlink', 'rename']);

/** What a case leaves: what the process said and did, the store, and what was promised before the process began. */
export interface Aftermath {
  readonly path: string;
  readonly mark: string;
  readonly traced: Traced;
  readonly ledger: Ledger;
}

/** Runs cases in a folder. */
export class Bench {
  readonly #folder: string;
  readonly #seed: number;
  readonly #program: string;
  readonly #template: string;
  /** The versions of the template's operations. */
  readonly #versions: number[] = [];
  #count = 0;

  private constructor(folder: string, seed: number) {
    this.#folder = folder;
    this.#seed = seed;
    this.#program = join(folder, 'workload.mjs');
    this.#template = join(folder, 'template.varve');
  }

  static async make(folder: string, seed: number): Promise<Bench> {
    const bench = new Bench(folder, seed);
    bundleProgram(bench.#program, 'test/support/syscall-workload.ts', 'work');
    const path = join(folder, 'writing.varve');
    const db = await open(path, { segmentSize: SEGMENT_SIZE });
    for (let number = 0; number < TEMPLATE_OPERATIONS; number++) bench.#versions.push(await perform(db, seed, TEMPLATE_LIFE, number, false));
    copyFileSync(path, bench.#template);
    await db.close();
    return bench;
  }

  /** A ledger that knows the template, or nothing. */
  #ledger(base: Base): Ledger {
    const ledger = new Ledger(this.#seed);
    if (base === 'create') return ledger;
    ledger.begin(TEMPLATE_LIFE, 0, { version: 0, clean: true, dropped: 0, entries: [] });
    for (const [number, version] of this.#versions.entries()) ledger.acknowledge(number, version, true);
    return ledger;
  }

  /** Runs the process with an injection, or without one. */
  async run(base: Base, mode: CaseMode, injection: Injection | undefined): Promise<Aftermath> {
    const folder = join(this.#folder, `case${this.#count++}`);
    mkdirSync(folder);
    const path = join(folder, 'store.varve');
    const lock = `${path}.lock`;
    const mark = join(folder, 'mark');
    if (base === 'recover') {
      copyFileSync(this.#template, path);
      writeFileSync(lock, JSON.stringify(cardOfTheDead()));
    }
    const workload: Workload = { path, mark, seed: this.#seed, options: { ...MODES[mode], segmentSize: SEGMENT_SIZE }, firstLife: FIRST_LIFE, groups: GROUPS };
    const watch = { log: join(folder, 'trace'), calls: CALLS, paths: [path, lock, `${lock}.${NONCE.slice(0, 16)}`, folder, mark], injection };
    const traced = await trace(watch, [this.#program, JSON.stringify(workload)]);
    return { path, mark, traced, ledger: this.#ledger(base) };
  }

  /** Removes what a case left. */
  clear({ path }: Aftermath): void {
    rmSync(join(path, '..'), { recursive: true });
  }

  /** Every case of a base and a mode. */
  async cases(base: Base, mode: CaseMode): Promise<Case[]> {
    const calm = await this.run(base, mode, undefined);
    const { calls } = calm.traced;
    const cases: Case[] = [];
    for (const [call, errors] of Object.entries(ERRORS)) {
      const threads = new Map<number, number>();
      for (const { thread, name } of calls) if (name === call) threads.set(thread, (threads.get(thread) ?? 0) + 1);
      const count = Math.max(0, ...threads.values());
      const add = (what: string, when: number, isForEver: boolean): void => void cases.push({ base, mode, injection: { call, what, when, isForEver } });
      for (let when = 1; when <= count; when++) {
        for (const error of errors) {
          add(`error=${error}`, when, false);
          if (!HANGS_FOR_EVER.has(error)) add(`error=${error}`, when, true);
        }
        if (call === 'pwrite64') for (const isForEver of [false, true]) add('retval=0', when, isForEver);
        if (KILLED_AT.has(call)) add('signal=SIGKILL', when, false);
      }
    }
    this.clear(calm);
    return cases;
  }
}

/** The lock file of a process of this machine that is gone: its socket is free. */
function cardOfTheDead(): object {
  return {
    pid: 2 ** 22 - 1, started: '1', boot: readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), pidNamespace: readlinkSync('/proc/self/ns/pid'),
    netNamespace: readlinkSync('/proc/self/ns/net'), host: hostname(), nonce: NONCE, since: '2026-01-01T00:00:00.000Z', hasSocket: true,
  };
}

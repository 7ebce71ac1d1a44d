/**
 * What a store owes when a system call fails, held against what a process said and did. Whatever fails: what was acknowledged is there, what was refused is not, what is in doubt is there whole or
 * not at all; the store opens again without the failure, and goes on. Beyond that, each sort of failure has one right answer.
 */
import { constants } from 'node:os';
import { open } from '../../src/open.js';
import { FIRST_LIFE, textOfCase, type Aftermath, type Bench, type Case } from './syscall-cases.js';
import { perform } from './life.js';
import type { Dump } from './ledger.js';
import type { Call } from './strace.js';
import { GROUP_SIZE, PHASES, SESSIONS } from './syscall-workload.js';
import { dumpOf } from './writer.js';

type Phase = keyof typeof PHASES;

const MODES_OF_ACCESS: Readonly<Record<string, Phase>> = { F_OK: 'open', R_OK: 'run', W_OK: 'close', X_OK: 'end' };
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
/** Node has no name for a quota that is used up. */
const NAMELESS = ['UNKNOWN', `Unknown system error -${constants.errno.EDQUOT}`];
const AGAIN = new Set(['EINTR', 'EAGAIN']);
/** Calls that the store, or the library below it, makes again when they were interrupted. */
const MADE_AGAIN = new Set(['pwrite64', 'pread64']);

/** A failure that was injected. */
interface Failure {
  readonly call: Call;
  readonly phase: Phase;
  /** Whether the call is to fill a slot with zeros before it is used. */
  readonly isPreparation: boolean;
  /** Whether it was made by the thread that does so in the background. */
  readonly isBackground: boolean;
  /** Whether it is for the store's file, and not for its lock or its folder. */
  readonly isStore: boolean;
}

/** What a process said of one opening of the store. */
interface Session {
  /** Codes of the error, where it did not open. */
  refused?: string;
  /** The first error that stopped the store. */
  stopped?: string;
  /** Whether everyone who was waiting then has been told: from then on nothing is in doubt any more. */
  isSettled?: boolean;
  fullCount: number;
  closed?: string;
  readonly failures: Failure[];
}

/** How a case went, for the figures. */
export type Verdict = 'untouched' | 'unharmed' | 'refused' | 'full' | 'stopped' | 'failed to close' | 'killed';

function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

class Judge {
  readonly #case: Case;
  readonly #after: Aftermath;
  readonly #errno: string | undefined;
  readonly #isKill: boolean;
  readonly #sessions: readonly Session[] = Array.from({ length: SESSIONS }, () => ({ fullCount: 0, failures: [] }));
  /** The one that the process speaks of. */
  #session: Session = this.#sessions[0]!;

  constructor(one: Case, after: Aftermath) {
    this.#case = one;
    this.#after = after;
    const { what } = one.injection;
    this.#errno = what.startsWith('error=') ? what.slice('error='.length) : undefined;
    this.#isKill = what.startsWith('signal=');
  }

  async verdict(): Promise<Verdict> {
    const { ending, lines } = this.#after.traced;
    must(this.#isKill ? ending.signal === 'SIGKILL' || ending.code === 0 : ending.code === 0, `the process ended with ${ending.signal ?? ending.code}`);
    this.#sortCalls();
    for (const line of lines) this.#hear(line);
    if (!this.#isKill) for (const session of this.#sessions) this.#judge(session);
    await this.#goOn();
    return this.#summary(ending.signal !== null);
  }

  #summary(wasKilled: boolean): Verdict {
    if (wasKilled) return 'killed';
    if (this.#sessions.every(({ failures }) => failures.length === 0)) return 'untouched';
    if (this.#sessions.some(({ refused }) => refused !== undefined)) return 'refused';
    if (this.#sessions.some(({ stopped }) => stopped !== undefined)) return 'stopped';
    if (this.#sessions.some(({ fullCount }) => fullCount > 0)) return 'full';
    return this.#sessions.some(({ closed }) => closed !== 'ok') ? 'failed to close' : 'unharmed';
  }

  /**
   * Finds the phases of the calls, and what was injected in each. After a flush that failed, there must not be another one in the session; but where it failed on a thread of its own, the program may have
   * begun one more that blocks before it was told, and where it was one that blocks, a thread may only then have come to the one that it was asked for before.
   */
  #sortCalls(): void {
    const { path, mark, traced: { calls } } = this.#after;
    const main = calls[0]?.thread;
    const background = new Set(calls.filter(({ thread, name }) => thread !== main && name === 'pwrite64').map(({ thread }) => thread));
    let index = -1;
    let phase: Phase = 'open';
    let failedOn: (typeof calls)[number]['thread'] | undefined;
    let mayOverlap = false;
    for (const call of calls) {
      if (call.name === 'access' && call.parameters.includes(mark)) {
        phase = MODES_OF_ACCESS[call.parameters.split(', ')[1]!]!;
        if (phase === 'open') {
          index++;
          failedOn = undefined;
          mayOverlap = false;
        }
        continue;
      }
      if (index < 0) continue;
      const isBackground = background.has(call.thread);
      const isStore = call.parameters.includes(`${path}>`) || call.parameters.includes(`"${path}"`);
      const isFlush = (call.name === 'fdatasync' || call.name === 'fsync') && isStore;
      if (isFlush && failedOn !== undefined && !isBackground) {
        must(mayOverlap && (call.thread === main) !== (failedOn === main), 'a flush was tried again after one that failed');
        mayOverlap = false;
      }
      if (!call.isInjected) continue;
      if (isFlush && !isBackground && this.#errno !== 'EINTR') {
        mayOverlap ||= failedOn === undefined;
        failedOn ??= call.thread;
      }
      const isPreparation = call.name === 'pwrite64' && /^\d+<[^>]*>, "(\\0){8}/.test(call.parameters);
      this.#sessions[index]!.failures.push({ call, phase, isBackground, isStore, isPreparation });
    }
  }

  #hear(line: string): void {
    const { ledger } = this.#after;
    const [word, first = '', rest = ''] = /^(\w+) (\d+) ?(.*)$/.exec(line)?.slice(1) ?? [];
    const number = Number(first);
    switch (word) {
      case 'refused':
        this.#enter(number).refused = rest;
        break;
      case 'opened':
        this.#enter(number);
        ledger.begin(number, GROUP_SIZE, JSON.parse(rest) as Dump);
        break;
      case 'done':
        must(this.#session.stopped === undefined, `operation ${number} was acknowledged after the store had stopped`);
        ledger.acknowledge(number, Number(rest), true);
        break;
      case 'failed':
        this.#hearFailed(number, rest);
        break;
      case 'reads':
        must(this.#session.stopped === undefined ? rest === 'ok' : rest.startsWith('VARVE_POISONED'), `a read answers ${rest}, and the store ${this.#session.stopped === undefined ? 'serves' : 'has stopped'}`);
        this.#session.isSettled = this.#session.stopped !== undefined;
        break;
      case 'figures':
        must(rest.startsWith('VARVE_IO') && this.#case.injection.call === 'statx', `the figures say ${rest}`);
        break;
      case 'closed':
        this.#session.closed = rest;
        break;
      case 'descriptors':
        must(number === 0 || this.#case.injection.call === 'close', `${number} descriptors are left open`);
        break;
      default:
        throw new Error(`the process says: ${line}`);
    }
  }

  /** The process goes on to another session. */
  #enter(life: number): Session {
    return (this.#session = this.#sessions[life - FIRST_LIFE]!);
  }

  #hearFailed(number: number, codes: string): void {
    const session = this.#session;
    const [code] = codes.split('<');
    if (code === 'VARVE_OUTCOME_UNKNOWN') {
      must(session.isSettled !== true, 'an outcome is unknown although the store had stopped before');
      session.stopped ??= codes;
      return;
    }
    this.#after.ledger.refuse(number);
    if (code === 'VARVE_FULL') {
      must(session.isSettled !== true, 'a store that has stopped says that it is full');
      must(FULL.has(this.#errno ?? ''), `the store is full for ${this.#errno}`);
      session.fullCount++;
      return;
    }
    must(code === 'VARVE_POISONED', `operation ${number} failed with ${codes}`);
    session.stopped ??= codes;
  }

  /** Failures that concern nobody: what was interrupted is made again, and what a closed descriptor says of bytes that were flushed is nothing new. */
  #isHarmless({ call, phase, isStore, isBackground }: Failure): boolean {
    const errno = this.#errno ?? '';
    const { what, isForEver } = this.#case.injection;
    if (errno === 'EINTR' && !isForEver) return true;
    if (AGAIN.has(errno) && MADE_AGAIN.has(call.name) && !isForEver) return true;
    if (what === 'retval=0' && !isForEver && !isBackground) return true;
    return call.name === 'close' && phase === 'close' && isStore;
  }

  /** Whether the codes of an error name the one that was injected. */
  #says(codes: string): boolean {
    return codes.includes(this.#errno!) || (this.#errno === 'EDQUOT' && NAMELESS.some((code) => codes.includes(code)));
  }

  /** Whether a call asks what the path leads to, now that everything is in the file: whoever may not look knows nothing, and has nothing to say. */
  #isLook({ name, parameters }: Failure['call']): boolean {
    return name === 'statx' && parameters.includes(`"${this.#after.path}"`);
  }

  #judge(session: Session): void {
    const { refused, stopped, fullCount, closed, failures } = session;
    const harmful = failures.filter((failure) => !this.#isHarmless(failure));
    for (const codes of [refused, stopped, closed]) {
      if (codes === undefined || codes === 'ok') continue;
      must(codes.startsWith('VARVE_'), `an error that is none of ours comes out: ${codes}`);
      must(harmful.length > 0, `nothing failed, and the store says ${codes}`);
      const isOfBackground = harmful.some(({ isBackground }) => isBackground);
      must(this.#errno === undefined || isOfBackground || this.#says(codes) || codes.startsWith('VARVE_LOCKED'), `the error does not say why: ${codes}`);
    }
    if (refused !== undefined) {
      this.#judgeRefusal(refused, harmful);
      return;
    }
    must(closed !== undefined, 'the process has not said how the store closed');
    const inRun = harmful.filter(({ phase, isStore }) => phase === 'run' && isStore);
    // No room for a slot ahead is no reason to stop, nor any other.
    if (FULL.has(this.#errno ?? '') && inRun.every(({ isPreparation }) => isPreparation)) must(stopped === undefined, `no room for a slot has stopped the store: ${stopped}`);
    if (inRun.some(({ call, isPreparation, isBackground }) => call.name !== 'statx' && !isPreparation && !isBackground)) must(stopped !== undefined, 'the log or a flush failed, and the store went on');
    must(fullCount === 0 || inRun.some(({ isPreparation }) => isPreparation), 'the store says that it is full, and no slot was refused');
    const inClose = harmful.filter(({ phase, isStore, isBackground, call }) => phase === 'close' && isStore && !isBackground && call.name !== 'close' && !this.#isLook(call));
    if (stopped === undefined && inClose.length > 0) must(closed !== 'ok', `${inClose.length} calls of the close failed, and it says nothing`);
    // What failed in the background may be noticed as late as here.
    if (closed !== 'ok') must(inClose.length > 0 || harmful.some(({ isBackground }) => isBackground), `nothing of the close failed, and it says ${closed}`);
  }

  #judgeRefusal(refused: string, harmful: readonly Failure[]): void {
    const errno = this.#errno ?? '';
    const { call } = this.#case.injection;
    must(harmful.some(({ phase }) => phase === 'open'), `the store was refused, and nothing failed while it was opened: ${refused}`);
    const expected = ['VARVE_IO', ...(FULL.has(errno) ? ['VARVE_FULL'] : []), ...(['EACCES', 'EPERM', 'EROFS'].includes(errno) ? ['VARVE_READ_ONLY'] : []), ...(call === 'read' ? ['VARVE_LOCKED'] : [])];
    must(expected.includes(refused.split('<')[0]!), `a store whose ${call} fails with ${errno} is refused with ${refused}`);
  }

  /** Opens the store without failures, in this process: it is what it should be, it goes on, and is the same when it is opened once more. */
  async #goOn(): Promise<void> {
    const { path, ledger } = this.#after;
    for (let life = FIRST_LIFE + SESSIONS; life < FIRST_LIFE + SESSIONS + 2; life++) {
      const db = await open(path, { memory: { initial: 1 << 20 } });
      try {
        await db.verify();
        ledger.begin(life, 0, dumpOf(db));
        for (let number = 0; number < 3; number++) ledger.acknowledge(number, await perform(db, ledger.seed, life, number, false), true);
      } finally {
        await db.close();
      }
    }
  }
}

/** Judges a case. Throws what is wrong. */
function judge(one: Case, after: Aftermath): Promise<Verdict> {
  return new Judge(one, after).verdict();
}

/** Runs and judges cases, several at once. Resolves with how they went, and what was wrong with those that went otherwise than they should. */
export async function runCases(bench: Bench, cases: readonly Case[], width: number): Promise<{ verdicts: Map<Verdict, number>; wrong: string[] }> {
  const verdicts = new Map<Verdict, number>();
  const wrong: string[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < cases.length) {
      const one = cases[next++]!;
      const after = await bench.run(one.base, one.mode, one.injection);
      try {
        const verdict = await judge(one, after);
        verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1);
      } catch (error) {
        const said = after.traced.lines.map((line) => line.slice(0, 120)).join('\n  ');
        wrong.push(`${textOfCase(one)}: ${error instanceof Error ? error.stack : String(error)}\n  ${said}\nAgain: node test/run.mjs syscalls --only '${textOfCase(one)}'`);
      }
      bench.clear(after);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return { verdicts, wrong };
}

export function textOfVerdicts(verdicts: ReadonlyMap<Verdict, number>): string {
  const total = [...verdicts.values()].reduce((sum, count) => sum + count, 0);
  return `${total} failures of system calls as they should be answered: ${[...verdicts].map(([verdict, count]) => `${verdict} ${count}`).sort().join(', ')}`;
}

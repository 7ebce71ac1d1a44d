/** Real system calls of a real process, seen and made to fail by strace. */
import { readFileSync, rmSync } from 'node:fs';
import { Child, isAvailable, type Ending } from './children.js';

/** Whether processes can be traced here. */
export const canTrace = (): boolean => isAvailable('strace, or the right to trace', 'strace', '-f', '-qq', '-o', '/dev/null', 'true');

/** What strace is to do to a call: fail it, answer it without making it, or kill the process instead of it. */
export interface Injection {
  readonly call: string;
  /** `error=EIO`, `retval=0` or `signal=SIGKILL`. */
  readonly what: string;
  /** Which call of its sort in each thread, counted from one. */
  readonly when: number;
  readonly isForEver: boolean;
}

/** One call that touched one of the files that were watched. */
export interface Call {
  readonly thread: number;
  readonly name: string;
  /** The parameters, with the path of each descriptor in angle brackets. */
  readonly parameters: string;
  readonly result: string;
  readonly isInjected: boolean;
}

export interface Traced {
  readonly ending: Ending;
  /** What the process said. */
  readonly lines: readonly string[];
  readonly calls: readonly Call[];
}

export const textOfInjection = ({ call, what, when, isForEver }: Injection): string => `${call}:${what}:when=${when}${isForEver ? '+' : ''}`;

/** Reads strace's log. A call that another thread interrupts stands on two lines. */
function callsOf(log: string): Call[] {
  const calls: Call[] = [];
  const begun = new Map<string, string>();
  for (const line of log.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    const interrupted = /^(.*?) *<unfinished \.\.\.>$/.exec(rest);
    if (interrupted !== null) {
      begun.set(thread, interrupted[1]!);
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed === null ? rest : `${begun.get(thread) ?? ''}${resumed[1]!}`;
    const [, name, parameters = '', result = ''] = /^(\w+)\((.*)\) += (.*)$/.exec(whole) ?? [];
    if (name !== undefined) calls.push({ thread: Number(thread), name, parameters, result, isInjected: result.includes('(INJECTED)') });
  }
  return calls;
}

export interface Watch {
  /** Where the log may be written for a while. */
  readonly log: string;
  /** The calls that are of interest, in strace's words. */
  readonly calls: string;
  /** Only calls that touch one of these count; undefined for all. */
  readonly paths: readonly string[] | undefined;
  readonly injection: Injection | undefined;
}

/** Runs Node on a program and parameters, watching its calls, and with something done to one of them. */
export async function trace({ log, calls: names, paths = [], injection }: Watch, program: readonly string[]): Promise<Traced> {
  // Without the filter in the kernel everything is slower, but a signal is only delivered so.
  const isKill = injection?.what.startsWith('signal') === true;
  const child = new Child('strace', [
    '-f', '-qq', '-y', ...(isKill ? [] : ['--seccomp-bpf']), '-o', log, '-e', `trace=${names}`, ...paths.flatMap((path) => ['-P', path]),
    ...(injection === undefined ? [] : ['-e', `inject=${textOfInjection(injection)}`]), process.execPath, ...program,
  ], { env: { UV_THREADPOOL_SIZE: '1' } });
  const lines: string[] = [];
  child.onLine = (line) => void lines.push(line);
  const ending = await child.ended;
  const calls = callsOf(readFileSync(log, 'latin1'));
  rmSync(log);
  return { ending, lines, calls };
}

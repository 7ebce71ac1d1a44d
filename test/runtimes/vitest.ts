/**
 * What stands in for vitest where vitest itself does not run: the same test files, the same matchers, which are vitest's own, and a runner that does what these tests ask of one. It has no
 * mocks of modules, no snapshots and no fake timers, so the files that need them are left out by name.
 */
import { chai, getState, GLOBAL_EXPECT, JestAsymmetricMatchers, JestChaiExpect, JestExtend, setState } from '@vitest/expect';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

type Body = (...parameters: any[]) => unknown;
type Hook = () => unknown;

const assert = (value: unknown, message?: string): unknown => chai.expect(value, message);
export const expect = Object.assign(assert, chai.expect, { getState: () => getState(assert as any), setState: (state: object) => setState(state, assert as any) });
Reflect.defineProperty(globalThis, GLOBAL_EXPECT, { value: expect, configurable: true });
setState({ assertionCalls: 0, isExpectingAssertions: false, isExpectingAssertionsError: null, expectedAssertionsNumber: null, expectedAssertionsNumberErrorGen: null }, expect as any);

/** What types are is for the compiler to check. */
export const expectTypeOf = (): unknown => new Proxy(() => undefined, { get: (_, name) => (name === 'then' ? undefined : expectTypeOf()), apply: () => undefined });

interface Group {
  readonly name: string;
  readonly isSkipped: boolean;
  readonly entries: (Group | Case)[];
  readonly hooks: Record<'beforeAll' | 'afterAll' | 'beforeEach' | 'afterEach', Hook[]>;
}

interface Case {
  readonly name: string;
  readonly isSkipped: boolean;
  readonly body: Body;
}

const groupOf = (name: string, isSkipped: boolean): Group => ({ name, isSkipped, entries: [], hooks: { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] } });
const root = groupOf('', false);
let current = root;

/** A name with what `each` puts in: `%s` and the like in turn, `$name` from a field. */
function named(name: string, parameters: readonly unknown[]): string {
  let at = 0;
  return name.replace(/%[sdjio]/g, () => String(parameters[at++])).replace(/\$(\w+)/g, (_, field: string) => String((parameters[0] as Record<string, unknown> | undefined)?.[field]));
}

/** Parts of the names of tests that are left out in this runtime. */
const leftOut = JSON.parse(process.env['VARVE_LEFT_OUT'] ?? '[]') as string[];

function add(name: string, body: Body, isSkipped = false): void {
  current.entries.push({ name, body, isSkipped });
}

function each(table: readonly unknown[]): (name: string, body: Body) => void {
  return (name, body) => {
    for (const row of table) {
      const parameters = Array.isArray(row) ? row : [row];
      add(named(name, parameters), () => body(...parameters));
    }
  };
}

const withSkips = (isSkipped: boolean) => Object.assign((name: string, body: Body) => add(name, body, isSkipped), { each });
export const test = Object.assign((name: string, body: Body) => add(name, body), { each, skipIf: (condition: unknown) => withSkips(Boolean(condition)), runIf: (condition: unknown) => withSkips(!condition) });
export const it = test;

function group(name: string, body: () => void, isSkipped = false): void {
  const outer = current;
  const inner = groupOf(name, isSkipped);
  outer.entries.push(inner);
  current = inner;
  try {
    body();
  } finally {
    current = outer;
  }
}

export const describe = Object.assign((name: string, body: () => void) => group(name, body), {
  each: (table: readonly unknown[]) => (name: string, body: Body) => {
    for (const row of table) {
      const parameters = Array.isArray(row) ? row : [row];
      group(named(name, parameters), () => body(...parameters));
    }
  },
  skipIf: (condition: unknown) => (name: string, body: () => void) => group(name, body, Boolean(condition)),
});

export const beforeAll = (hook: Hook): number => current.hooks.beforeAll.push(hook);
export const afterAll = (hook: Hook): number => current.hooks.afterAll.push(hook);
export const beforeEach = (hook: Hook): number => current.hooks.beforeEach.push(hook);
export const afterEach = (hook: Hook): number => current.hooks.afterEach.push(hook);

export interface Outcome {
  passed: number;
  skipped: number;
  failures: { name: string; error: string }[];
}

const TIME_MAX = 120_000;

/** Runs what may take too long, and says so when it does. */
async function inTime(body: () => unknown): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`took longer than ${TIME_MAX} ms`)), TIME_MAX)));
  try {
    await Promise.race([(async () => { await body(); })(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function runGroup(of: Group, outcome: Outcome, path: string, around: Pick<Group['hooks'], 'beforeEach' | 'afterEach'>, isSkipped: boolean): Promise<void> {
  const attempt = async (name: string, body: () => unknown): Promise<boolean> => {
    try {
      await inTime(body);
      return true;
    } catch (error) {
      outcome.failures.push({ name, error: error instanceof Error ? `${error.message}\n${error.stack ?? ''}` : String(error) });
      return false;
    }
  };
  if (!isSkipped) for (const hook of of.hooks.beforeAll) if (!(await attempt(`${path} (before all)`, hook))) return;
  const hooks = { beforeEach: [...around.beforeEach, ...of.hooks.beforeEach], afterEach: [...of.hooks.afterEach, ...around.afterEach] };
  for (const entry of of.entries) {
    const name = path === '' ? entry.name : `${path} > ${entry.name}`;
    const isLeftOut = leftOut.some((part) => name.includes(part));
    if ('entries' in entry) {
      await runGroup(entry, outcome, name, hooks, isSkipped || entry.isSkipped);
    } else if (isSkipped || entry.isSkipped || isLeftOut) {
      outcome.skipped++;
    } else {
      const isPassed = await attempt(name, async () => {
        for (const hook of hooks.beforeEach) await hook();
        await entry.body();
      });
      const isCleared = await attempt(`${name} (after each)`, async () => { for (const hook of hooks.afterEach) await hook(); });
      if (isPassed && isCleared) outcome.passed++;
    }
  }
  if (!isSkipped) for (const hook of of.hooks.afterAll) await attempt(`${path} (after all)`, hook);
}

/** Runs everything that was declared, in order. */
export async function runAll(): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, skipped: 0, failures: [] };
  await runGroup(root, outcome, '', { beforeEach: [], afterEach: [] }, false);
  return outcome;
}

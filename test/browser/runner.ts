/**
 * What the tests use of vitest, for suites that run inside a browser's worker: they are bundled with this file in its place. `expect` is vitest's own. Tests run one after another, in the
 * order in which they stand; `run` gives what came of them.
 */
import { JestAsymmetricMatchers, JestChaiExpect, JestExtend, getState, GLOBAL_EXPECT, setState } from '@vitest/expect';
import * as chai from 'chai';

chai.use(JestExtend);
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = ((value: unknown, message?: string) => {
  setState({ assertionCalls: 0 }, expect as never);
  return chai.expect(value, message);
}) as unknown as typeof import('vitest').expect;
Object.assign(expect, chai.expect);
setState({ ...getState((globalThis as Record<symbol, unknown>)[GLOBAL_EXPECT] as never), assertionCalls: 0 }, expect as never);

type Action = () => unknown;

interface Group {
  readonly name: string;
  readonly before: Action[];
  readonly after: Action[];
}

interface Case {
  readonly name: string;
  readonly groups: readonly Group[];
  readonly action: Action;
}

/** What came of the tests. */
export interface Report {
  readonly passed: readonly string[];
  readonly failed: readonly { readonly name: string; readonly message: string }[];
}

const cases: Case[] = [];
const whenDone: Action[] = [];
let groups: readonly Group[] = [{ name: '', before: [], after: [] }];

/** The name of one case of a table: `%s` and `%i` stand for its parts, in their order. */
function nameOf(pattern: string, row: readonly unknown[]): string {
  let next = 0;
  return pattern.replace(/%[sidoj]/g, () => String(row[next++]));
}

function withTable<A extends Action>(define: (name: string, action: A) => void): (rows: readonly unknown[]) => (name: string, action: (...row: unknown[]) => unknown) => void {
  return (rows) => (name, action) => {
    for (const row of rows) {
      const parts = Array.isArray(row) ? row : [row];
      define(nameOf(name, parts), (() => action(...parts)) as A);
    }
  };
}

function defineTest(name: string, action: Action): void {
  cases.push({ name: [...groups.map((group) => group.name), name].filter((part) => part !== '').join(' › '), groups, action });
}

function defineGroup(name: string, action: Action): void {
  const outside = groups;
  groups = [...outside, { name, before: [], after: [] }];
  action();
  groups = outside;
}

export const test = Object.assign(defineTest, { each: withTable(defineTest) });
export const it = test;
export const describe = Object.assign(defineGroup, { each: withTable(defineGroup) });
export const beforeEach = (action: Action): void => void groups.at(-1)!.before.push(action);
export const afterEach = (action: Action): void => void groups.at(-1)!.after.push(action);
export const afterAll = (action: Action): void => void whenDone.push(action);

/** After so many milliseconds a test that goes on is said to hang, and those behind it are run. */
const TEST_TIME_MAX = 60_000;

async function inTime(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`it has not ended after ${TEST_TIME_MAX} ms`)), TEST_TIME_MAX);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

async function runCase({ groups: around, action }: Case): Promise<void> {
  try {
    for (const group of around) for (const before of group.before) await before();
    await action();
  } finally {
    for (const group of [...around].reverse()) for (const after of group.after) await after();
  }
}

/** Runs everything that was defined. */
export async function run(): Promise<Report> {
  const passed: string[] = [];
  const failed: { name: string; message: string }[] = [];
  for (const one of cases) {
    try {
      await inTime(runCase(one));
      passed.push(one.name);
    } catch (error) {
      failed.push({ name: one.name, message: error instanceof Error ? `${error.name}: ${error.message}\n${error.stack ?? ''}` : String(error) });
    }
  }
  for (const action of whenDone) await action();
  return { passed, failed };
}

/** Interleavings as tables: a story is a list of steps of numbered transactions, in the order in which they happen, and says of each read and each commit what must come of it. */
import { expect } from 'vitest';
import { ConflictError, open, type Isolation, type Store, type Transaction, type TransactionView } from '../../src/index.js';

export type Outcome = 'commits' | 'conflicts';

/** What must come, where the levels differ. */
type ByLevel<T> = Readonly<Record<Isolation, T>>;

/** The keys that every story begins with. */
export type Values = Readonly<Record<string, number>>;

/** Where keys are: all in the store itself, or each in a keyspace named by its first letter. */
export type Setting = 'in the store' | 'across keyspaces';
export const SETTINGS: readonly Setting[] = ['in the store', 'across keyspaces'];

/** What a story is told on. */
interface Scene {
  readonly db: Store<unknown>;
  readonly setting: Setting;
  readonly isolation: Isolation;
  readonly running: Map<number, Transaction>;
}

interface Step {
  readonly text: string;
  readonly run: (scene: Scene) => void;
}

export interface Story {
  readonly name: string;
  readonly steps: readonly Step[];
  /** What the store holds at the end: every key of it. */
  readonly final: ByLevel<Values> | Values;
}

function isByLevel<T>(value: ByLevel<T> | T): value is ByLevel<T> {
  return typeof value === 'object' && value !== null && 'serializable' in value;
}

const at = <T>(value: ByLevel<T> | T, isolation: Isolation): T => (isByLevel(value) ? value[isolation] : value);

/** What a transaction sees of the place where a key is. */
function viewOf(tx: Transaction, { db, setting }: Scene, key: string): TransactionView<unknown> {
  return setting === 'in the store' ? tx : tx.in(db.keyspace(key[0]!));
}

/** A step of transaction `id`, which begins with its first step or with `begin`. */
function step(id: number, text: string, run: (tx: Transaction, scene: Scene) => void): Step {
  return {
    text: `transaction ${id}: ${text}`,
    run: (scene) => {
      const tx = scene.running.get(id) ?? scene.db.begin({ isolation: scene.isolation });
      scene.running.set(id, tx);
      run(tx, scene);
    },
  };
}

export const begin = (...ids: number[]): Step[] => ids.map((id) => step(id, 'begin', () => undefined));
export const put = (id: number, key: string, value: number): Step => step(id, `put ${key} ${value}`, (tx, scene) => viewOf(tx, scene, key).put(key, value));
export const remove = (id: number, key: string): Step => step(id, `delete ${key}`, (tx, scene) => viewOf(tx, scene, key).delete(key));
export const abort = (id: number): Step => step(id, 'abort', (tx) => tx.abort());

/** Reads, and finds exactly these values. */
export const reads = (id: number, expected: Readonly<Record<string, number | undefined>>): Step =>
  step(id, `get ${Object.keys(expected).join(', ')}`, (tx, scene) => expect(Object.fromEntries(Object.keys(expected).map((key) => [key, viewOf(tx, scene, key).get(key)]))).toEqual(expected));

/** A step that reads the place of a key in a way of its own. */
export const does = (id: number, text: string, key: string, run: (view: TransactionView<unknown>) => void): Step => step(id, text, (tx, scene) => run(viewOf(tx, scene, key)));

/** Commits, with exactly this outcome. */
export const ends = (id: number, outcome: ByLevel<Outcome> | Outcome): Step =>
  step(id, 'commit', (tx, { isolation }) => {
    let found: Outcome = 'commits';
    try {
      tx.commitSync();
    } catch (error) {
      expect(error).toBeInstanceOf(ConflictError);
      found = 'conflicts';
    }
    expect(found).toBe(at(outcome, isolation));
    expect(tx.isOpen).toBe(false);
  });

/** Write skew and its kin: under `serializable` the second fails, under `snapshot` both commit. */
export const ONLY_SNAPSHOT: ByLevel<Outcome> = { serializable: 'conflicts', snapshot: 'commits' };
/** Blind writes of one key: under `snapshot` the first committer wins. */
export const ONLY_SERIALIZABLE: ByLevel<Outcome> = { serializable: 'commits', snapshot: 'conflicts' };

/** Tells a story, step by step, and holds the store against its end. */
export async function tell(story: Story, isolation: Isolation, beginning: Values, setting: Setting): Promise<void> {
  const db = await open(':memory:', { memory: { initial: 1 << 20 } });
  try {
    const placeOf = (key: string): Pick<Store, 'putSync' | 'get'> => (setting === 'in the store' ? db : db.keyspace(key[0]!));
    for (const [key, value] of Object.entries(beginning)) placeOf(key).putSync(key, value);
    const scene: Scene = { db, setting, isolation, running: new Map() };
    for (const { text, run } of story.steps) {
      try {
        run(scene);
      } catch (error) {
        throw new Error(`${story.name}, ${text}: ${(error as Error).message}`, { cause: error });
      }
    }
    for (const tx of scene.running.values()) expect(tx.isOpen, `${story.name}: every transaction comes to an end`).toBe(false);
    const final = at<Values>(story.final, isolation);
    expect(Object.fromEntries(Object.keys(final).map((key) => [key, placeOf(key).get(key)]))).toEqual(final);
    expect(db.stats().keys).toBe(Object.keys(final).length);
    await db.verify();
  } finally {
    await db.close();
  }
}

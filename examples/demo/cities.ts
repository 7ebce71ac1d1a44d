/** The records of the page: cities under the name by which they are looked for, and a journal that says of each commit what it was. */
import { open, type SharedKeyspace, type SharedReader, type SharedStore, type SharedTransactionView } from 'varve/browser';

/** A city's name in lower case without accents, and the number that tells cities of one name apart. */
export type CityKey = [name: string, id: number];

export interface City {
  readonly name: string;
  /** Two letters. */
  readonly country: string;
  readonly population: number;
  readonly remark: string;
}

/** One commit. Every commit of the page puts the next entry of the journal, and none is ever overwritten. */
export interface JournalEntry {
  readonly what: string;
  /** Which tab it was. */
  readonly by: string;
  /** In epoch milliseconds. */
  readonly time: number;
  /** How many cities had been loaded by then. */
  readonly loaded: number;
  /** The record that was edited. */
  readonly key?: CityKey;
  /** It is one of the batches of a load. */
  readonly isLoad?: boolean;
}

/** So many versions of each record are kept. */
export const VERSIONS_KEPT = 8;

/** What this tab calls itself for as long as it is open, reloads included. */
export const tabName = (() => {
  const kept = sessionStorage.getItem('tab') ?? crypto.randomUUID().slice(0, 4);
  sessionStorage.setItem('tab', kept);
  return kept;
})();

/** The name by which a city is looked for. */
export const foldName = (name: string): string => name.normalize('NFD').replace(/\p{Diacritic}/gu, '').toLowerCase();

/** The range of the cities whose names begin with a text: an ordered scan from the text on, up to behind everything that begins with it. */
export const beginningWith = (text: string): { gte: CityKey; lt: CityKey } => ({ gte: [foldName(text)] as unknown as CityKey, lt: [`${foldName(text)}\u{10FFFF}`] as unknown as CityKey });

export interface Atlas {
  readonly db: SharedStore;
  readonly cities: SharedKeyspace<City, CityKey>;
  readonly journal: SharedKeyspace<JournalEntry, number>;
}

/** Opens the store, in the worker of this tab or of another. Throws as `open` does. */
export async function openAtlas(): Promise<Atlas> {
  const db = await open('demo.varve', {
    durability: 'buffered', history: { versions: VERSIONS_KEPT }, worker: () => new Worker('/varve-worker.js', { type: 'module' }),
  });
  return { db, cities: db.keyspace('cities'), journal: db.keyspace('journal') };
}

/** What the entry of a commit says; who, when and how many cities there are is added, unless it says that too. */
export type Said = Pick<JournalEntry, 'what'> & Partial<JournalEntry>;

/** Puts the next entry of the journal, in the transaction whose view it is. */
export async function addEntry(journal: SharedTransactionView<JournalEntry, number>, said: Said): Promise<void> {
  const newest = await newestEntry(journal);
  journal.put((newest?.number ?? 0) + 1, { by: tabName, time: Date.now(), loaded: newest?.entry.loaded ?? 0, ...said });
}

/** Puts an entry by itself, behind a commit that could not carry it. */
export function writeJournal({ db, journal }: Atlas, said: Said): Promise<void> {
  return db.transact((tx) => addEntry(tx.in(journal), said));
}

/** The newest entry of the journal, with its number; undefined where there is none. */
export async function newestEntry(journal: SharedReader<JournalEntry, number>): Promise<{ number: number; entry: JournalEntry } | undefined> {
  for await (const { key, value } of journal.scan({ reverse: true, limit: 1 })) return { number: key, entry: value };
  return undefined;
}

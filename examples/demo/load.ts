/** Loading the cities, a batch at a time, each an atomic commit: a load that was broken off, in whichever tab, goes on behind its last batch. */
import { addEntry, foldName, newestEntry, writeJournal, type Atlas, type City, type CityKey } from './cities.js';
import { byId, formatCount, wordsOf } from './dom.js';

/** A city as the site gives it. */
type Row = readonly [id: number, name: string, country: string, population: number];

const BATCH_COUNT = 1000;
/** In the package that the site takes them from. */
const CITY_COUNT = 135_233;

const button = byId<HTMLButtonElement>('load-button');
const reset = byId<HTMLButtonElement>('reset-button');
const bar = byId<HTMLProgressElement>('load-progress');
const output = byId('load-output');

/** This tab loads, and says itself how far it has come. */
let isLoading = false;
let cities: Promise<Row[]> | undefined;

/** All cities, fetched once. */
function fetchCities(): Promise<Row[]> {
  cities ??= fetch('/cities.json').then((response) => {
    if (!response.ok) throw new Error(`The cities were answered with ${response.status}.`);
    return response.json() as Promise<Row[]>;
  }).catch((error: unknown) => {
    cities = undefined;
    throw error;
  });
  return cities;
}

function show(loaded: number, total: number, words: string): void {
  bar.max = total;
  bar.value = loaded;
  output.textContent = words;
}

/** Puts the next batch; resolves with how many cities there are then. Two tabs that load at once each put other batches: a transaction that was overtaken is run again. */
function putBatch({ db, cities: space, journal }: Atlas, rows: readonly Row[]): Promise<number> {
  return db.transact(async (tx) => {
    const newest = await newestEntry(tx.in(journal));
    const loaded = newest?.entry.loaded ?? 0;
    const batch = rows.slice(loaded, loaded + BATCH_COUNT);
    if (batch.length === 0) return loaded;
    const view = tx.in(space);
    for (const [id, name, country, population] of batch) view.put([foldName(name), id] satisfies CityKey, { name, country, population, remark: '' } satisfies City);
    await addEntry(tx.in(journal), { what: `${formatCount(batch.length)} cities loaded`, loaded: loaded + batch.length, isLoad: true });
    return loaded + batch.length;
  }, { retries: 100 });
}

async function load(atlas: Atlas): Promise<void> {
  button.disabled = reset.disabled = true;
  isLoading = true;
  try {
    show(bar.value, bar.max, 'Fetching the cities…');
    const rows = await fetchCities();
    const begun = performance.now();
    let loaded = 0;
    let first = -1;
    do {
      loaded = await putBatch(atlas, rows);
      if (first < 0) first = loaded;
      const seconds = Math.max(0.001, (performance.now() - begun) / 1000);
      show(loaded, rows.length, `${formatCount(loaded)} of ${formatCount(rows.length)}, ${formatCount(Math.round((loaded - first) / seconds))} a second`);
    } while (loaded < rows.length);
    const seconds = (performance.now() - begun) / 1000;
    await atlas.db.flush();
    show(loaded, rows.length, `${formatCount(loaded)} cities, in ${seconds.toFixed(1)} s, and flushed`);
    button.textContent = 'All are loaded';
  } catch (error) {
    output.textContent = `The load has stopped: ${wordsOf(error)}`;
    button.disabled = false;
  } finally {
    isLoading = false;
    reset.disabled = false;
  }
}

/** Deletes all cities, as one commit. The journal stays, so that one can still travel to when they were there. */
async function startAnew(atlas: Atlas): Promise<void> {
  button.disabled = reset.disabled = true;
  output.textContent = 'Deleting…';
  await atlas.db.dropKeyspace(atlas.cities.name);
  await writeJournal(atlas, { what: 'All cities deleted', loaded: 0 });
}

/** Shows how far the load has come, by whichever tab, and lets it go on. */
export function showLoaded(loaded: number): void {
  if (isLoading) return;
  show(loaded, CITY_COUNT, loaded === 0 ? 'none yet' : `${formatCount(loaded)} of ${formatCount(CITY_COUNT)}`);
  button.textContent = loaded === 0 ? 'Load the cities' : loaded < CITY_COUNT ? 'Go on loading' : 'All are loaded';
  button.disabled = loaded >= CITY_COUNT;
  reset.disabled = loaded === 0;
}

/** Makes the buttons work. */
export function beginLoad(atlas: Atlas): void {
  button.addEventListener('click', () => void load(atlas));
  reset.addEventListener('click', () => void startAnew(atlas).catch((error: unknown) => {
    output.textContent = wordsOf(error);
    reset.disabled = false;
  }));
}

/** One record: its values as of the moment that is looked at, a form that edits it in a transaction, and the versions that it has had. */
import type { Change } from 'varve/browser';
import { addEntry, type Atlas, type City, type CityKey } from './cities.js';
import { byId, formatCount, formatTime, latest, wordsOf } from './dom.js';
import type { Moment } from './moment.js';

const body = byId('record-body');
const form = byId<HTMLFormElement>('edit');
const population = byId<HTMLInputElement>('population');
const remark = byId<HTMLInputElement>('remark');
const save = byId<HTMLButtonElement>('save');
const said = byId('edit-output');
const slider = byId<HTMLInputElement>('versions');
const versionsOutput = byId('versions-output');
const restore = byId<HTMLButtonElement>('restore');

/** Another commit has changed the record since it was shown. */
class ChangedMeanwhile extends Error {
  constructor() {
    super('It was changed meanwhile, by another tab perhaps: what it is now is shown. Nothing was written.');
  }
}

const describe = ({ population: count, remark: words }: City): string => `${formatCount(count)} people${words === '' ? '' : `, “${words}”`}`;

export class RecordPanel {
  readonly #atlas: Atlas;
  readonly #moment: Moment;
  #key: CityKey | undefined;
  /** The version that the form was filled from, 0 where the record is not there. */
  #shownVersion = 0;
  #versions: Change<City, CityKey>[] = [];
  /** Shows the record as it is, again. */
  readonly refresh: () => void;

  constructor(atlas: Atlas, moment: Moment) {
    this.#atlas = atlas;
    this.#moment = moment;
    this.refresh = latest(() => this.#show(), (error) => { said.textContent = wordsOf(error); });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#save({ population: Number(population.value), remark: remark.value.trim() });
    });
    slider.addEventListener('input', () => this.#sayVersion());
    restore.addEventListener('click', () => {
      const { value } = this.#versions[Number(slider.value)] ?? {};
      if (value !== undefined) void this.#save({ population: value.population, remark: value.remark }).then(() => slider.focus());
    });
  }

  get key(): CityKey | undefined {
    return this.#key;
  }

  /** Chooses the record that is shown. */
  choose(key: CityKey): void {
    this.#key = key;
    said.textContent = '';
    this.refresh();
  }

  async #show(): Promise<void> {
    const key = this.#key;
    if (key === undefined) return;
    const entry = await this.#moment.cities.getEntry(key);
    const versions: Change<City, CityKey>[] = [];
    for await (const change of this.#atlas.cities.history(key)) versions.push(change);
    const { isPast } = this.#moment;
    const isNew = this.#shownVersion !== (entry?.version ?? 0) || body.hidden;
    byId('record-empty').hidden = true;
    body.hidden = false;
    byId('record-name').textContent = entry?.value.name ?? versions.find(({ value }) => value !== undefined)?.value?.name ?? key[0];
    byId('record-facts').textContent = entry === undefined ? `Not there${isPast ? ' at this moment' : ''}.`
      : `${entry.value.country} · key ["${key[0]}", ${key[1]}] · version ${formatCount(entry.version)}${isPast ? ' · as it was; go back to the present to edit' : ''}`;
    population.disabled = remark.disabled = save.disabled = isPast || entry === undefined;
    if (isNew) {
      population.value = entry === undefined ? '' : String(entry.value.population);
      remark.value = entry?.value.remark ?? '';
    }
    this.#shownVersion = entry?.version ?? 0;
    this.#versions = versions.reverse();
    slider.max = String(Math.max(0, versions.length - 1));
    slider.disabled = versions.length < 2;
    const at = versions.findIndex(({ version }) => version === entry?.version);
    slider.value = String(at < 0 ? versions.length - 1 : at);
    this.#sayVersion();
  }

  #sayVersion(): void {
    const index = Number(slider.value);
    const change = this.#versions[index];
    const isNewest = index === this.#versions.length - 1;
    const words = change === undefined ? 'None is kept.'
      : `${index + 1} of ${this.#versions.length}${isNewest ? ', the newest' : ''}: ${change.value === undefined ? 'deleted' : describe(change.value)}. Committed at ${formatTime(change.time)} as version ${formatCount(change.version)}.`;
    versionsOutput.textContent = words;
    slider.setAttribute('aria-valuetext', words);
    restore.hidden = isNewest || change?.value === undefined || this.#moment.isPast;
  }

  /** Commits the record with other values, and the journal's entry of it, or nothing. */
  async #save(values: Pick<City, 'population' | 'remark'>): Promise<void> {
    const key = this.#key!;
    const shown = this.#shownVersion;
    const { db, cities, journal } = this.#atlas;
    save.disabled = true;
    try {
      const begun = performance.now();
      await db.transact(async (tx) => {
        const view = tx.in(cities);
        const entry = await view.getEntry(key);
        if (entry === undefined || entry.version !== shown) throw new ChangedMeanwhile();
        const next: City = { ...entry.value, ...values };
        view.put(key, next);
        await addEntry(tx.in(journal), { what: `${next.name}: ${describe(entry.value)} → ${describe(next)}`, key });
      });
      said.textContent = `Committed, in ${(performance.now() - begun).toFixed(1)} ms.`;
    } catch (error) {
      said.textContent = wordsOf(error);
      // What others have made of it takes the place of what was typed.
      this.#shownVersion = -1;
    }
    this.refresh();
  }
}

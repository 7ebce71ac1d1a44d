/** When the page looks at the store: now, or as it was behind one of its commits. Whoever shows records asks here. */
import type { SharedReader, SharedSnapshot } from 'varve/browser';
import type { Atlas, City, CityKey, JournalEntry } from './cities.js';
import { byId, formatCount, formatTime, latest, wordsOf } from './dom.js';

/** A commit that one can go back to. */
interface Step {
  readonly version: number;
  readonly entry: JournalEntry;
}

const slider = byId<HTMLInputElement>('moment');
const output = byId('moment-output');
const present = byId<HTMLButtonElement>('now');

export class Moment {
  readonly #atlas: Atlas;
  readonly #listeners: (() => void)[] = [];
  /** Commits from the oldest that is kept on. */
  #steps: Step[] = [];
  #snapshot: SharedSnapshot | undefined;
  #cities: SharedReader<City, CityKey>;

  constructor(atlas: Atlas) {
    this.#atlas = atlas;
    this.#cities = atlas.cities;
    const go = latest(() => this.#go(), (error) => { output.textContent = wordsOf(error); });
    slider.addEventListener('input', go);
    present.addEventListener('click', () => {
      slider.value = slider.max;
      go();
      slider.focus();
    });
  }

  /** The cities as of this moment. */
  get cities(): SharedReader<City, CityKey> {
    return this.#cities;
  }

  get isPast(): boolean {
    return this.#snapshot !== undefined;
  }

  /** Is told when the moment is another one. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Finds the commits that one can go back to. */
  async begin(): Promise<void> {
    const steps: Step[] = [];
    for await (const { version, value } of this.#atlas.journal.scan()) steps.push({ version, entry: value });
    this.#steps = steps;
    await this.forget();
  }

  /** Finds anew how far the store reaches back: what has more versions than are kept ends the way there. */
  async forget(): Promise<void> {
    let low = 0;
    let high = this.#steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (await this.#isKept(this.#steps[middle]!.version)) high = middle;
      else low = middle + 1;
    }
    this.#steps.splice(0, low);
    this.#measure(!this.isPast);
  }

  /** A commit has come. */
  add(version: number, entry: JournalEntry): void {
    if (version <= (this.#steps.at(-1)?.version ?? 0)) return;
    this.#steps.push({ version, entry });
    this.#measure(!this.isPast);
  }

  async #isKept(version: number): Promise<boolean> {
    const snapshot = this.#atlas.db.at(version);
    try {
      await snapshot.version;
      return true;
    } catch {
      return false;
    } finally {
      snapshot.close();
    }
  }

  /** Sets the slider's ends to the steps; `follows` the newest of them, or stays where it was. */
  #measure(follows: boolean): void {
    const last = Math.max(0, this.#steps.length - 1);
    slider.max = String(last);
    slider.disabled = last === 0;
    if (follows) slider.value = slider.max;
    this.#say();
  }

  #say(): void {
    const index = Number(slider.value);
    const step = this.#steps[index];
    const words = step === undefined ? 'Nothing was committed yet.'
      : this.isPast ? `Version ${formatCount(step.version)}, ${formatTime(step.entry.time)}: ${step.entry.what}. Commit ${index + 1} of ${this.#steps.length}.`
      : `Now: version ${formatCount(step.version)}, the last of ${this.#steps.length} commits that are kept.`;
    output.textContent = words;
    slider.setAttribute('aria-valuetext', words);
    present.hidden = !this.isPast;
  }

  /** Goes to where the slider stands. */
  async #go(): Promise<void> {
    const step = this.#steps[Number(slider.value)];
    const isNow = step === undefined || step === this.#steps.at(-1);
    const next = isNow ? undefined : this.#atlas.db.at(step.version);
    try {
      await next?.version;
    } catch (error) {
      next?.close();
      await this.forget();
      throw error;
    }
    this.#snapshot?.close();
    this.#snapshot = next;
    this.#cities = next === undefined ? this.#atlas.cities : next.in(this.#atlas.cities);
    this.#say();
    for (const listener of this.#listeners) listener();
  }
}

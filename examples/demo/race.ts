/** The benchmark in this browser, with a chart for each row that grows as samples come. The rows and their subjects are those of `npm run bench:browser`. */
import { race, type Sample } from '../../bench/browser/in-page.mjs';
import { byId, element, wordsOf } from './dom.js';

const button = byId<HTMLButtonElement>('race-button');
const output = byId('race-output');
const tables = byId('race-tables');

const significant = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const formatRate = (rate: number): string => (rate >= 1e6 ? `${significant(rate / 1e6)} M/s` : rate >= 1e3 ? `${significant(rate / 1e3)} K/s` : `${significant(rate)}/s`);

/** From the top down. */
const SUBJECTS = ['varve', 'SQLite', 'IndexedDB', 'OPFS'];

/** The chart of one row: a table, whose bars are decoration. */
class Chart {
  readonly #rates = new Map<string, number>();
  readonly #body = element('tbody', '');

  constructor(words: string) {
    tables.append(element('table', '', element('caption', '', words), this.#body));
  }

  show(subject: string, rate: number): void {
    this.#rates.set(subject, rate);
    const most = Math.max(...this.#rates.values());
    const ours = this.#rates.get('varve');
    this.#body.replaceChildren(...SUBJECTS.flatMap((name) => {
      const one = this.#rates.get(name);
      if (one === undefined) return [];
      const bar = element('span', 'bar');
      bar.style.width = `${Math.max(0.5, (100 * one) / most)}%`;
      const head = element('th', '', name);
      head.scope = 'row';
      const ratio = name === 'varve' || ours === undefined ? '' : `${significant(ours / one)} ×`;
      return [element('tr', name === 'varve' ? 'ours' : '', head, element('td', '', bar), element('td', 'rate', formatRate(one)), element('td', 'ratio note', ratio))];
    }));
  }
}

/** Makes the button work: it begins the benchmark, or ends it. */
export function beginRace(): void {
  let abort: AbortController | undefined;
  button.addEventListener('click', () => {
    if (abort !== undefined) return abort.abort(new Error('Ended before all rows were run.'));
    abort = new AbortController();
    button.textContent = 'Stop';
    tables.replaceChildren();
    const charts = new Map<string, Chart>();
    const onSample = ({ row, what, subject, rate }: Sample): void => {
      let chart = charts.get(row);
      if (chart === undefined) {
        charts.set(row, chart = new Chart(what));
        output.textContent = `Running: ${what}.`;
      }
      chart.show(subject, rate);
    };
    race(onSample, abort.signal).then(() => `Done: ${charts.size} rows.`, wordsOf).then((words) => {
      output.textContent = words;
      button.textContent = 'Run the benchmark';
      abort = undefined;
    });
  });
}

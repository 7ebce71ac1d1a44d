/** Searching as one types: each text is an ordered scan from there on, of the store as of the moment that is looked at. */
import { beginningWith, type City, type CityKey } from './cities.js';
import { byId, element, formatCount, latest, wordsOf } from './dom.js';
import type { Moment } from './moment.js';

const SHOWN_MAX = 50;

const input = byId<HTMLInputElement>('query');
const output = byId('search-output');
const list = byId('results');

const buttons = (): HTMLButtonElement[] => Array.from(list.querySelectorAll('button'));

function buttonFor(key: CityKey, { name, country, population }: City, isChosen: boolean, onChoose: (key: CityKey) => void): HTMLElement {
  const button = element('button', '', element('span', '', name), element('span', 'where', `${country} · ${formatCount(population)}`));
  button.type = 'button';
  button.dataset['key'] = JSON.stringify(key);
  if (isChosen) button.setAttribute('aria-current', 'true');
  button.addEventListener('click', () => onChoose(key));
  return element('li', '', button);
}

/** Arrows go from the text to what was found, and along it. */
function onArrow(event: KeyboardEvent): void {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const all = buttons();
  const from = all.indexOf(document.activeElement as HTMLButtonElement);
  const to = event.key === 'ArrowDown' ? all[from + 1] : from > 0 ? all[from - 1] : input;
  if (to === undefined) return;
  event.preventDefault();
  to.focus();
}

/** Makes the search work. Returns what looks again, and what marks the record that was chosen. */
export function beginSearch(moment: Moment, onChoose: (key: CityKey) => void): { look: () => void; mark: (key: CityKey) => void } {
  let chosen = '';
  const mark = (key: CityKey): void => {
    chosen = JSON.stringify(key);
    for (const button of buttons()) {
      if (button.dataset['key'] === chosen) button.setAttribute('aria-current', 'true');
      else button.removeAttribute('aria-current');
    }
  };
  const look = latest(async () => {
    const begun = performance.now();
    const text = input.value;
    const found: { key: CityKey; value: City }[] = [];
    for await (const entry of moment.cities.scan({ ...beginningWith(text.trim()), limit: SHOWN_MAX })) found.push(entry);
    const milliseconds = performance.now() - begun;
    // Who stands on a result when the list is made anew stands on it still.
    const focused = list.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset['key'] : undefined;
    list.replaceChildren(...found.map(({ key, value }) => buttonFor(key, value, JSON.stringify(key) === chosen, onChoose)));
    if (focused !== undefined) (buttons().find((button) => button.dataset['key'] === focused) ?? input).focus();
    const count = found.length === SHOWN_MAX ? `The first ${SHOWN_MAX}` : `${found.length}`;
    output.textContent = found.length === 0 ? `No city begins like that${moment.isPast ? ' at this moment' : ''}.` : `${count} in order, in ${milliseconds.toFixed(1)} ms${moment.isPast ? ', as it was' : ''}.`;
    list.ariaBusy = String(text !== input.value);
  }, (error) => { output.textContent = wordsOf(error); });
  input.addEventListener('input', () => {
    list.ariaBusy = 'true';
    look();
  });
  byId('search').addEventListener('keydown', onArrow);
  input.disabled = false;
  return { look, mark };
}

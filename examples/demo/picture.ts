/** The store from inside, twice a second: the segments of its file as layers, and figures; and a button that gives compaction something to do. */
import type { Stats } from 'varve/browser';
import { type Atlas, type City, type CityKey, writeJournal } from './cities.js';
import { byId, element, formatBytes, formatCount, wordsOf } from './dom.js';

const INTERVAL = 500;
/** More layers than this are too thin to be told apart: from there on one stands for several segments. */
const LAYERS_MAX = 96;
const WIDTH = 100;
/** In pixels: of the picture, and of a layer where there are few. */
const HEIGHT_MAX = 208;
const LAYER_HEIGHT_MAX = 10;
/** The part of a layer's height that is left free above it. */
const GAP = 0.25;

const CHURN_COUNT = 20_000;
/** They go to so many records, over and over, so that most versions are soon superseded. */
const CHURN_RECORDS = 500;
const CHURN_BATCH = 1000;

const strata = byId<SVGSVGElement>('strata');
const figures = byId('figures');
const churn = byId<HTMLButtonElement>('churn');
const churned = byId('churn-output');

function layer(kind: string, x: number, y: number, width: number): SVGRectElement {
  const rectangle = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  rectangle.setAttribute('class', kind);
  for (const [name, value] of Object.entries({ x, y, width, height: 1 - GAP })) rectangle.setAttribute(name, String(value));
  return rectangle;
}

/** Draws the slots of the file as sediment is laid down, from the bottom up: those of segments with the shares of live and dead bytes that the log has as a whole, and those that are free. */
function draw({ log, file }: Stats): void {
  const slots = Math.max(log.segments, file?.slots ?? 0);
  const each = Math.ceil(slots / LAYERS_MAX);
  const [count, used] = [Math.ceil(slots / each), Math.ceil(log.segments / each)];
  const live = WIDTH * (log.bytes === 0 ? 0 : log.liveBytes / log.bytes);
  const layers: SVGRectElement[] = [];
  for (let index = 0; index < count; index++) {
    const y = count - 1 - index + GAP;
    if (index < used) layers.push(layer(index % 2 === 0 ? 'live' : 'live other', 0, y, live), layer('dead', live, y, WIDTH - live));
    else layers.push(layer('free', 0, y, WIDTH));
  }
  strata.setAttribute('viewBox', `0 0 ${WIDTH} ${count}`);
  strata.setAttribute('height', String(Math.min(HEIGHT_MAX, count * LAYER_HEIGHT_MAX)));
  strata.setAttribute('aria-label', `${log.segments} segments of ${formatBytes(log.segmentBytes)} in ${slots} slots, ${((100 * log.liveBytes) / Math.max(1, log.bytes)).toFixed(0)} % of their bytes live${each === 1 ? '' : `; a layer stands for ${each} segments`}`);
  strata.replaceChildren(...layers);
}

function list(stats: Stats, commitsASecond: number): void {
  const { log, file } = stats;
  const rows: readonly (readonly [string, string])[] = [
    ['keys', formatCount(stats.keys)],
    ['version', formatCount(stats.version)],
    ['older versions kept', formatCount(stats.versions.old)],
    ['commits a second', formatCount(Math.max(0, Math.round(commitsASecond)))],
    ['live bytes', formatBytes(log.liveBytes)],
    ['dead bytes', formatBytes(log.deadBytes)],
    ['segments', `${formatCount(log.segments)} × ${formatBytes(log.segmentBytes)}`],
    ['file', formatBytes(file?.bytes ?? 0)],
    ['flushes', formatCount(file?.flushes ?? 0)],
    ['median flush', file === undefined || file.flushes === 0 ? '–' : `${file.flushLatency.p50.toFixed(1)} ms`],
    ['bytes moved', formatBytes(stats.compaction.movedBytes)],
    ['segments emptied', formatCount(stats.compaction.emptiedSegments)],
  ];
  figures.replaceChildren(...rows.map(([name, value]) => element('div', '', element('dt', '', name), element('dd', '', value))));
}

/** Overwrites some records again and again. */
async function overwrite({ cities }: Atlas): Promise<void> {
  const records: { key: CityKey; value: City }[] = [];
  for await (const record of cities.scan({ limit: CHURN_RECORDS })) records.push(record);
  if (records.length === 0) throw new Error('There is nothing to overwrite: load the cities first.');
  for (let done = 0; done < CHURN_COUNT; done += CHURN_BATCH) {
    // Each is a commit of its own; those of a turn cross to the worker together.
    await Promise.all(Array.from({ length: CHURN_BATCH }, (_, index) => {
      const { key, value } = records[(done + index) % records.length]!;
      return cities.put(key, value);
    }));
    churned.textContent = `${formatCount(done + CHURN_BATCH)} written`;
  }
}

/** Begins to draw. */
export function beginPicture(atlas: Atlas, onForgotten: () => Promise<void>): void {
  let before: { version: number; time: number } | undefined;
  const look = async (): Promise<void> => {
    if (!document.hidden) {
      const stats = await atlas.db.stats();
      const time = performance.now();
      draw(stats);
      list(stats, before === undefined ? 0 : ((stats.version - before.version) * 1000) / (time - before.time));
      before = { version: stats.version, time };
    }
    setTimeout(again, INTERVAL);
  };
  const again = (): void => void look().catch((error: unknown) => { strata.setAttribute('aria-label', wordsOf(error)); });
  again();
  churn.disabled = false;
  churn.addEventListener('click', () => {
    churn.disabled = true;
    const begun = performance.now();
    overwrite(atlas).then(async () => {
      churned.textContent = `${formatCount(CHURN_COUNT)} commits in ${((performance.now() - begun) / 1000).toFixed(1)} s. Of each record eight versions are kept, so time begins anew here.`;
      await writeJournal(atlas, { what: `${formatCount(CHURN_COUNT)} overwrites` });
      await onForgotten();
    }).catch((error: unknown) => { churned.textContent = wordsOf(error); }).finally(() => { churn.disabled = false; });
  });
}

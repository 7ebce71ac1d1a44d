/** The store from inside, twice a second: the segments of its file as layers, and figures; and a button that gives compaction something to do. */
import type { Stats } from 'varve/browser';
import { type Atlas, type City, type CityKey, writeJournal } from './cities.js';
import { byId, element, formatBytes, formatCount, wordsOf } from './dom.js';

const INTERVAL = 500;
/** More layers than this are too thin to be told apart: from there on one stands for several segments. */
const LAYERS_MAX = 400;
const LAYER_WIDTH = 30;
const LAYER_HEIGHT = 4;
const GAP = 2;
/** How much wider than high the picture is. */
const ASPECT = 5;

const CHURN_COUNT = 20_000;
/** They go to so many records, over and over, so that most versions are soon superseded. */
const CHURN_RECORDS = 500;
const CHURN_BATCH = 1000;

const strata = byId<SVGSVGElement>('strata');
const figures = byId('figures');
const churn = byId<HTMLButtonElement>('churn');
const churned = byId('churn-output');

function layer(kind: 'live' | 'dead' | 'free', x: number, y: number, width: number): SVGRectElement {
  const rectangle = document.createElementNS('http://www.w3.org/2000/svg', 'rect');
  rectangle.setAttribute('class', kind);
  for (const [name, value] of Object.entries({ x, y, width, height: LAYER_HEIGHT })) rectangle.setAttribute(name, String(value));
  return rectangle;
}

/** Draws the slots of the file: those of segments with the shares of live and dead bytes that the log has as a whole, and those that are free. */
function draw({ log, file }: Stats): void {
  const slots = Math.max(log.segments, file?.slots ?? 0);
  const each = Math.ceil(slots / LAYERS_MAX);
  const [count, used] = [Math.ceil(slots / each), Math.ceil(log.segments / each)];
  const pitch = { x: LAYER_WIDTH + GAP, y: LAYER_HEIGHT + GAP };
  const rows = Math.max(4, Math.ceil(Math.sqrt((count * pitch.x) / (ASPECT * pitch.y))));
  const live = LAYER_WIDTH * (log.bytes === 0 ? 0 : log.liveBytes / log.bytes);
  const layers: SVGRectElement[] = [];
  for (let index = 0; index < count; index++) {
    const x = Math.floor(index / rows) * pitch.x + 1;
    // As sediment is laid down: from the bottom up.
    const y = (rows - 1 - (index % rows)) * pitch.y + 1;
    if (index < used) layers.push(layer('live', x, y, live), layer('dead', x + live, y, LAYER_WIDTH - live));
    else layers.push(layer('free', x, y, LAYER_WIDTH));
  }
  strata.setAttribute('viewBox', `0 0 ${Math.max(4, Math.ceil(count / rows)) * pitch.x} ${rows * pitch.y}`);
  strata.setAttribute('aria-label', `${log.segments} segments of ${formatBytes(log.segmentBytes)} in ${slots} slots, ${((100 * log.liveBytes) / Math.max(1, log.bytes)).toFixed(0)} % of their bytes live${each === 1 ? '' : `; a layer stands for ${each} segments`}`);
  strata.replaceChildren(...layers);
}

function list(stats: Stats, commitsASecond: number): void {
  const { log, file } = stats;
  const rows: readonly (readonly [string, string])[] = [
    ['records', formatCount(stats.keys)],
    ['version', formatCount(stats.version)],
    ['older versions kept', formatCount(stats.versions.old)],
    ['commits a second', formatCount(Math.max(0, Math.round(commitsASecond)))],
    ['live bytes', formatBytes(log.liveBytes)],
    ['dead bytes', formatBytes(log.deadBytes)],
    ['segments', `${formatCount(log.segments)} × ${formatBytes(log.segmentBytes)}`],
    ['file', formatBytes(file?.bytes ?? 0)],
    ['flushes', formatCount(file?.flushes ?? 0)],
    ['median flush', file === undefined || file.flushes === 0 ? '–' : `${file.flushLatency.p50.toFixed(1)} ms`],
    ['moved by compaction', formatBytes(stats.compaction.movedBytes)],
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

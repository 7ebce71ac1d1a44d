/** The page that shows the store at work: opens it, and puts the parts of the page together. */
import { newestEntry, openAtlas, tabName } from './cities.js';
import { followChanges } from './changes.js';
import { beginCompaction } from './compaction.js';
import { byId, formatCount, wordsOf } from './dom.js';
import { beginLoad, showLoaded } from './load.js';
import { Moment } from './moment.js';
import { beginPicture } from './picture.js';
import { beginRace } from './race.js';
import { RecordPanel } from './record.js';
import { beginSearch } from './search.js';

const status = byId('status');

function fail(error: unknown): void {
  status.classList.add('failed');
  status.textContent = wordsOf(error);
}

async function begin(): Promise<void> {
  const begun = performance.now();
  const atlas = await openAtlas();
  const newest = await newestEntry(atlas.journal);
  const milliseconds = performance.now() - begun;
  const { recovery, persistent } = atlas.db;
  status.textContent = `Open in ${milliseconds.toFixed(0)} ms, with ${formatCount(recovery.records)} records. This tab is called ${tabName}. ${persistent ? 'The browser has promised to keep the data.' : 'The browser may give the data up when it runs out of room.'}`;

  const moment = new Moment(atlas);
  const record = new RecordPanel(atlas, moment);
  const search = beginSearch(moment, (key) => {
    record.choose(key);
    search.mark(key);
    byId('record-title').focus({ preventScroll: matchMedia('(min-width: 50rem)').matches });
  });
  const refresh = (): void => {
    search.look();
    record.refresh();
  };
  moment.onChange(refresh);
  followChanges(atlas, (version, entry) => {
    moment.add(version, entry);
    showLoaded(entry.loaded);
    if (!moment.isPast) refresh();
  }).catch(fail);
  await moment.begin();
  showLoaded(newest?.entry.loaded ?? 0);
  beginLoad(atlas);
  search.look();
  beginPicture(atlas, () => moment.forget());
  beginCompaction(atlas);
}

beginRace();
begin().catch(fail);

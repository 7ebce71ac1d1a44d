/** The commits of every tab, as they come: a watch of the journal, which goes on when another tab takes the store over. */
import { tabName, type Atlas, type JournalEntry } from './cities.js';
import { byId, element, formatCount, formatTime } from './dom.js';

const SHOWN_MAX = 40;
const feed = byId('feed');

/** The line of a load that goes on: its batches are one line, so that nobody is read a hundred. */
let loading: { by: string; line: HTMLLIElement } | undefined;

function show({ what, by, time, isLoad = false }: JournalEntry, version: number): void {
  const stamp = element('time', '', formatTime(time));
  stamp.dateTime = new Date(time).toISOString();
  const isForeign = by !== tabName;
  const goesOn = isLoad && loading?.by === by;
  const line = goesOn ? loading!.line : element('li', isForeign ? 'foreign' : '');
  line.replaceChildren(stamp, ` ${what} `, element('span', 'by', `· ${isForeign ? `another tab, ${by}` : 'this tab'} · version ${formatCount(version)}`));
  loading = isLoad ? { by, line } : undefined;
  if (goesOn) return;
  feed.prepend(line);
  while (feed.childElementCount > SHOWN_MAX) feed.lastElementChild!.remove();
}

/** Follows the journal until the store is closed. Calls `onCommit` for each entry. Throws what ends the watch. */
export async function followChanges({ journal }: Atlas, onCommit: (version: number, entry: JournalEntry) => void): Promise<void> {
  for await (const { version, changes } of journal.watch()) {
    for (const { value } of changes) {
      if (value === undefined) continue;
      show(value, version);
      onCommit(version, value);
    }
  }
}

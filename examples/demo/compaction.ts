/** Compacting the store as far as it goes, for every tab, while all go on. */
import type { Atlas } from './cities.js';
import { byId, formatBytes, wordsOf } from './dom.js';

const button = byId<HTMLButtonElement>('compact');
const output = byId('compact-output');

/** Makes the button work: it begins the compaction, or ends it. What the store looks like meanwhile, the picture above it shows. */
export function beginCompaction({ db }: Atlas): void {
  let abort: AbortController | undefined;
  button.disabled = false;
  button.addEventListener('click', () => {
    if (abort !== undefined) return abort.abort(new Error('Stopped: the store is as compact as it got.'));
    abort = new AbortController();
    button.textContent = 'Stop';
    output.textContent = 'Compacting…';
    const begun = performance.now();
    db.compact({ signal: abort.signal }).then(({ before, after, movedBytes }) => {
      const seconds = ((performance.now() - begun) / 1000).toFixed(1);
      return `Compacted in ${seconds} s: ${formatBytes(movedBytes)} moved. The file has ${formatBytes(after)}, and had ${formatBytes(before)}.`;
    }, wordsOf).then((words) => {
      output.textContent = words;
      button.textContent = 'Compact';
      abort = undefined;
    });
  });
}

/** The contest inside a page, for people who look on: the groups one after another, with fewer rounds and keys than the command takes, and every sample told as it comes. */
import { holdRounds } from '../contest/rounds.mjs';
import { median } from '../harness/statistics.mjs';
import { enter } from './contestants.mjs';
import { GROUPS } from './rows/groups.mjs';
import { NAME_PREFIX, POOL_FOLDER } from './subjects/subject.mjs';

const SETTINGS = { size: 'quick', seed: 20260113, keysMax: 20_000 };
const ROUNDS = { rounds: 3, warmups: 1 };

/** Removes what a contest that was broken off has left in the files of the site. */
async function sweep() {
  const folder = await navigator.storage.getDirectory();
  const names = [];
  for await (const name of /** @type {any} */ (folder).keys()) if (name.startsWith(NAME_PREFIX) || name === POOL_FOLDER) names.push(name);
  // Those that another page is at work on cannot be removed, and are its own to remove.
  await Promise.allSettled(names.map((name) => folder.removeEntry(name, { recursive: true })));
  const databases = await indexedDB.databases();
  for (const { name } of databases) if (name?.startsWith(NAME_PREFIX)) indexedDB.deleteDatabase(name);
}

/** @type {typeof import('./in-page.mjs').race} */
export async function race(onSample, signal) {
  await sweep();
  try {
    for (const [group, { place, subjects }] of Object.entries(GROUPS)) {
      const contestants = subjects.filter((name) => name !== 'Node').map((name) => enter(name, place));
      /** @type {Record<string, any>} */
      const labels = {};
      const asked = contestants.map((contestant) => ({
        name: contestant.name,
        async ask(/** @type {object} */ message) {
          signal.throwIfAborted();
          const reply = await contestant.ask(message);
          // The words of the store's own row, where others have others.
          for (const [row, label] of Object.entries(reply.labels ?? {})) labels[row] ??= label;
          return reply;
        },
      }));
      try {
        await holdRounds(asked, { group }, SETTINGS, ROUNDS, (row, subject, rates) => onSample({ row, what: labels[row].what, subject, rate: median(rates) }));
      } finally {
        for (const contestant of contestants) contestant.end();
      }
    }
  } finally {
    await sweep();
  }
}

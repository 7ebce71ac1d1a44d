/**
 * The store in browsers, beside IndexedDB, SQLite and OPFS alone: `node bench/browser/run.mjs [group …] [--browsers chromium,firefox] [--quick] [--smoke] [--keys N] [--seed N] [--folder path] [--json file]`.
 *
 * Each subject has a worker of its own, or the page where the group is of pages; the store in Node takes its samples in the same rounds. Installs SQLite, if it is not there yet, in a package of its own.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { print, readCommand, run, tell } from '../harness/command.mjs';
import { describeEnvironment } from '../report/environment.mjs';
import { writeResults } from '../report/results.mjs';
import { table } from '../report/table.mjs';
import { peersTable } from '../peers/tables.mjs';
import { judge } from './aims.mjs';
import { CHROMIUM_FLAGS, loadBrowsers } from './browsers.mjs';
import { contestIn, groupNames } from './contest.mjs';
import { benchSite } from './site.mjs';

/** The columns of the table: the first is what the others are held against. */
const COLUMNS = ['varve', 'Node', 'SQLite', 'IndexedDB', 'OPFS'];

await run(async () => {
  const { words, settings, json, values } = readCommand(['browsers']);
  for (const word of words) if (!groupNames.includes(word)) throw new Error(`There is no such group: ${word}. The groups are ${groupNames.join(', ')}.`);
  const { launch, pathOf } = await loadBrowsers();
  const names = /** @type {import('./browsers.mjs').BrowserName[]} */ ((values.browsers ?? 'chromium,firefox').split(','));
  for (const name of names) {
    if (name !== 'chromium' && name !== 'firefox') throw new Error(`There is no such browser: ${name}. The browsers are chromium and firefox.`);
    if (pathOf(name) === undefined) throw new Error(`${name} is not installed. Leave it out with --browsers, or set VARVE_${String(name).toUpperCase()} to its path.`);
  }
  const environment = describeEnvironment(settings);
  print('## Environment\n');
  for (const [name, value] of Object.entries(environment)) print(`- ${name}: ${value}`);
  const site = await benchSite();
  const folder = mkdtempSync(join(settings.folder, 'varve-bench-browser-'));
  /** @type {Record<string, { version: string, subjects: Record<string, any>, standings: import('./contest.mjs').Standings, judgements: ReturnType<typeof judge> }>} */
  const browsers = {};
  // What there is so far is written after each group, so that a run that is broken off leaves what it has.
  let saved = '';
  try {
    for (const name of names) {
      const browser = await launch(name, join(folder, name), CHROMIUM_FLAGS);
      try {
        const outcome = browsers[name] = { version: await browser.version(), subjects: {}, standings: {}, judgements: [] };
        for (const group of words.length === 0 ? groupNames : words) {
          tell(`${name}: ${group}`);
          const { standings, figures } = await contestIn(browser, site.address, group, { ...settings, folder });
          Object.assign(outcome.standings, standings);
          for (const [subject, { version, how }] of Object.entries(figures)) if (version !== undefined) outcome.subjects[subject] ??= { version, how };
          outcome.judgements = judge(outcome.standings);
          saved = writeResults('browsers', { environment, browsers }, json);
        }
      } finally {
        await browser.close();
      }
    }
  } finally {
    await site.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  for (const { version, subjects, standings, judgements } of Object.values(browsers)) {
    print(`\n## ${version}\n`);
    for (const [name, { version: which, how }] of Object.entries(subjects)) print(`- ${name} ${which}: ${how}`);
    print(`\nBehind a rate: how many times as fast the store is in this browser, the median of the rounds' own ratios.\n\n${peersTable(standings, COLUMNS)}`);
    const isJudged = settings.size !== 'smoke';
    print(`\n### Aims\n\n${table(['row', 'against', 'aim', 'reached', 'met'], judgements.map(({ row, against, aim, reached, isMet }) => [row, against, aim, reached, isJudged ? (isMet ? 'yes' : 'NO') : 'not judged']), [2, 3])}`);
  }
  tell(`\n${saved}`);
});

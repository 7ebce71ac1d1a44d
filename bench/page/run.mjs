/**
 * Draws the page from the newest raw results, and writes the summary into the README: `node bench/page/run.mjs [--rows file] [--peers file] [--runtimes file] [--out file] [--readme]`.
 *
 * Without `--readme` the README stays as it is. Installs what draws, if it is not there yet, in a package of its own.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { run, tell } from '../harness/command.mjs';
import { readNewest } from '../report/results.mjs';
import { summarize, writeSummary } from '../report/summary.mjs';
import { install } from '../runtimes/executables.mjs';

const KINDS = /** @type {const} */ (['rows', 'peers', 'runtimes']);

await run(async () => {
  const { values } = parseArgs({ options: { rows: { type: 'string' }, peers: { type: 'string' }, runtimes: { type: 'string' }, out: { type: 'string' }, readme: { type: 'boolean', default: false } } });
  const [rows, peers, runtimes] = KINDS.map((kind) => (values[kind] === undefined ? readNewest(kind) : JSON.parse(readFileSync(values[kind], 'utf8'))));
  const any = rows ?? peers ?? runtimes;
  if (any === undefined) throw new Error('There are no results yet: npm run bench, bench:peers and bench:runtimes make them.');
  install(fileURLToPath(new URL('./', import.meta.url)));
  const { peerSections, rowSections, runtimeSections } = await import('./sections.mjs');
  const { renderDocument } = await import('./document.mjs');
  /** @type {{ value: string, what: string }[]} */
  const cards = [];
  if (peers !== undefined) {
    cards.push({ value: `${peers.judgements.filter((/** @type {any} */ { isMet }) => isMet).length} of ${peers.judgements.length}`, what: 'aims beside peers are met' }, { value: `${peers.losses.length}`, what: 'comparisons with a peer are lost' });
  }
  if (rows !== undefined) cards.push({ value: `${rows.results.length}`, what: 'rows, each with its result checked' });
  if (runtimes !== undefined) cards.push({ value: `${runtimes.names.length}`, what: `runtimes: ${runtimes.names.join(', ')}` });
  const out = values.out ?? fileURLToPath(new URL('../results/page.html', import.meta.url));
  writeFileSync(out, renderDocument([...peerSections(peers), ...rowSections(rows), ...runtimeSections(runtimes)], cards, any.environment));
  tell(out);
  if (values.readme) {
    if (peers === undefined) throw new Error('The summary is made of the peers’ results: npm run bench:peers makes them.');
    writeSummary(summarize(peers));
    tell('README.md');
  }
});

/** Raw results: one JSON file a run, named by what was run, at which size, and when. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../results/', import.meta.url));

/** @typedef {'rows' | 'peers' | 'runtimes' | 'browsers' | 'compared'} Kind what a file of results is of */

/**
 * Writes the results of a run, and returns where.
 * @param {Kind} kind
 * @param {{ environment: { date: string, sizes: string } }} results
 * @param {string} [path]
 * @param {string} [part] which of several files of one run it is
 */
export function writeResults(kind, results, path, part) {
  const file = path ?? `${folder}${kind}-${results.environment.sizes.split(':', 1)[0]}-${results.environment.date.replaceAll(/[-:]|\.\d+/g, '')}${part === undefined ? '' : `-${part}`}.json`;
  if (path === undefined) mkdirSync(folder, { recursive: true });
  writeFileSync(file, JSON.stringify({ kind, ...results }, undefined, 2));
  return file;
}

/** The newest results of a kind, or undefined where there are none. Those of smoke runs mean nothing, and are passed over. @param {Kind} kind @param {string} [from] @returns {any} */
export function readNewest(kind, from = folder) {
  const dated = readdirSync(from).flatMap((name) => {
    const found = new RegExp(`^${kind}-(?:full|quick)-(.+)\\.json$`).exec(name);
    return found === null ? [] : [{ name, date: found[1] }];
  });
  const newest = dated.sort((one, other) => (one.date < other.date ? -1 : 1)).at(-1);
  return newest === undefined ? undefined : JSON.parse(readFileSync(`${from}/${newest.name}`, 'utf8'));
}

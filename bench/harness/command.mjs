/** What the commands of the benchmark have in common: their options, and how they end. */
import { parseArgs } from 'node:util';
import { resolveSettings } from './context.mjs';

export const print = (/** @type {string} */ text) => process.stdout.write(`${text}\n`);
/** What goes on, for who waits; the report goes elsewhere. @param {string} text */
export const tell = (text) => process.stderr.write(`${text}\n`);

/**
 * @typedef {object} Command
 * @property {string[]} words
 * @property {import('./context.mjs').Settings} settings
 * @property {string | undefined} json where the raw results go, if not into the folder of results
 * @property {Record<string, string | undefined>} values those of the command's own options
 */

/**
 * Reads the command line: `--quick`, `--smoke`, `--keys N`, `--seed N`, `--folder path`, `--json file`, and options of the command's own that take a value.
 * @param {string[]} own
 * @returns {Command}
 */
export function readCommand(own = []) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      smoke: { type: 'boolean', default: false },
      ...Object.fromEntries(['keys', 'seed', 'folder', 'json', ...own].map((name) => [name, { type: /** @type {const} */ ('string') }])),
    },
  });
  const { quick, smoke, ...named } = values;
  const strings = /** @type {Record<string, string | undefined>} */ (named);
  const { keys, seed, folder, json } = strings;
  const settings = resolveSettings({
    size: smoke ? 'smoke' : quick ? 'quick' : 'full',
    ...(keys === undefined ? {} : { keysMax: Number(keys) }),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(folder === undefined ? {} : { folder }),
  });
  const isWhole = keys === undefined || (Number.isInteger(settings.keysMax) && settings.keysMax >= 1);
  if (!isWhole || !Number.isInteger(settings.seed)) throw new Error('--keys and --seed take whole numbers.');
  return { words: positionals, settings, json, values: strings };
}

/** Runs a command, and says in one line why it failed. @param {() => Promise<void>} main */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    tell(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}

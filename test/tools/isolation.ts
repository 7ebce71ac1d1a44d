/**
 * `npm run isolation -- --transactions N [--seed S] [--shards K]` checks N committed transactions: histories of appends to lists, searched for cycles, on every processor. `--interleavings` plays
 * every interleaving of the sets instead; `--history S` and `--lives S` replay the history of one seed.
 */
import { parseArgs } from 'node:util';
import { addFigures, noFigures, type Figures } from '../support/interleavings.js';
import { playSet, SETS } from '../support/interleaving-sets.js';
import { addListFigures, ListRuns, type ListFigures } from '../support/list-append-runs.js';
import { inShards, send, shardOf } from '../support/shards.js';

const { values } = parseArgs({
  options: {
    transactions: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    shards: { type: 'string' },
    interleavings: { type: 'boolean', default: false },
    history: { type: 'string' },
    lives: { type: 'string' },
  },
});

/** One history in so many is of sessions that wait, and of crashes: it is short, and slow. */
const LIVES_EVERY = 4;

const shards = values.shards === undefined ? undefined : Number(values.shards);
const shard = shardOf();
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const begin = performance.now();
const seconds = (): number => (performance.now() - begin) / 1000;

async function checkShare(index: number, count: number): Promise<ListFigures> {
  const runs = new ListRuns();
  const share = Number(values.transactions) / count;
  for (let number = index; runs.figures.committed < share; number += count) {
    const seed = Number(values.seed) + number;
    if (Math.floor(number / count) % LIVES_EVERY === 0) await runs.live(seed);
    else runs.run(seed);
  }
  const { user, system } = process.cpuUsage();
  runs.figures.processor = (user + system) / 1e6;
  return runs.figures;
}

function playShare(index: number, count: number): Figures {
  const total = noFigures();
  for (const set of SETS) {
    const figures = playSet(set, { index, count });
    addFigures(total, figures);
    if (index === 0) print(`${set.name}: ${figures.interleavings} in this share, ${Math.round(seconds())} s`);
  }
  return total;
}

function tellLists(figures: ListFigures): void {
  const { committed, aborted, histories, edges, skews, crashes, unknown } = figures;
  print(`isolation: ${committed} transactions committed and ${aborted} aborted in ${histories} histories, ${edges} dependencies, no cycle that is not allowed; under snapshot, cycles that it allows: ${JSON.stringify(skews)}; ${crashes} crashes, ${unknown} outcomes in doubt; ${seconds().toFixed(1)} s, ${Math.round(committed / seconds())} transactions/s, ${((figures.processor / committed) * 1e6).toFixed(1)} µs of a processor each`);
}

if (values.history !== undefined || values.lives !== undefined) {
  const runs = new ListRuns();
  if (values.history !== undefined) runs.run(Number(values.history));
  else await runs.live(Number(values.lives));
  tellLists(runs.figures);
} else if (shard !== undefined) {
  if (values.interleavings) send(playShare(shard.index, shard.count));
  else send(await checkShare(shard.index, shard.count));
} else if (values.interleavings) {
  const total = noFigures();
  for (const figures of await inShards<Figures>(shards)) addFigures(total, figures);
  print(`interleavings: ${total.interleavings} played, ${total.commits} commits, ${total.conflicts} conflicts, ${total.mismatches} cas that failed, ${total.skews} with write skew under snapshot; ${seconds().toFixed(1)} s, ${Math.round(total.interleavings / seconds())} interleavings/s`);
} else {
  const [first, ...others] = await inShards<ListFigures>(shards);
  for (const figures of others) addListFigures(first!, figures);
  tellLists(first!);
}

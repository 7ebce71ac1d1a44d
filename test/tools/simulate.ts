/**
 * `npm run simulate -- --seed N --minutes M [--shards K]` lets stores live many lives in simulated worlds, from one seed on, on every processor. With `--worlds W` it is so many worlds instead of
 * so many minutes. It ends at the first violation, with the seed and the shortest story that fails.
 */
import { parseArgs } from 'node:util';
import { inShards, send, shardOf } from '../support/shards.js';
import { addFigures, noFigures, tell, type Figures } from '../support/world/figures.js';
import { explain } from '../support/world/shrink.js';
import { tellStory } from '../support/world/story.js';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '1' },
    worlds: { type: 'string' },
    shards: { type: 'string' },
    verbose: { type: 'boolean', default: false },
  },
});

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function simulate(index: number, count: number): Promise<Figures> {
  const figures = noFigures();
  const end = performance.now() + Number(values.minutes) * 60_000;
  const first = Number(values.seed);
  const last = values.worlds === undefined ? Infinity : first + Number(values.worlds);
  const before = process.cpuUsage();
  for (let seed = first + index; seed < last && (values.worlds !== undefined || performance.now() < end); seed += count) {
    const { failure, tale } = await tellStory(seed, figures, { tells: values.verbose });
    if (values.verbose) print(tale.join('\n'));
    if (failure !== undefined) {
      print(await explain(seed, failure));
      process.exit(1);
    }
    // Others have their turn between worlds, which have none of their own.
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  figures.seconds = (user + system) / 1e6;
  return figures;
}

const shard = shardOf();
if (shard !== undefined) send(await simulate(shard.index, shard.count));
else if (values.worlds === '1') print(tell(await simulate(0, 1)));
else {
  const total = noFigures();
  for (const figures of await inShards<Figures>(values.shards === undefined ? undefined : Number(values.shards))) addFigures(total, figures);
  print(tell(total));
}

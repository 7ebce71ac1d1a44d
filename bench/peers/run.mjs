/**
 * The store beside its peers: `node bench/peers/run.mjs [group …] [--subjects a,b] [--quick] [--smoke] [--keys N] [--seed N] [--folder path] [--json file]`.
 *
 * Each group of rows runs in one process a subject, which take their samples round by round. Installs the peers and the runtimes that some of them are part of, if they are not there yet, each in a package of its own.
 */
import { fileURLToPath } from 'node:url';
import { contest } from '../contest/contest.mjs';
import { print, readCommand, run, tell } from '../harness/command.mjs';
import { optionsOf } from '../harness/context.mjs';
import { describeEnvironment } from '../report/environment.mjs';
import { writeResults } from '../report/results.mjs';
import { table } from '../report/table.mjs';
import { install, installedRuntimes } from '../runtimes/executables.mjs';
import { judge } from './aims.mjs';
import { SUBJECTS } from './subjects/subject.mjs';
import { latencyTable, lossesOf, peersTable } from './tables.mjs';

const here = fileURLToPath(new URL('./', import.meta.url));
const module = new URL('./contender.mjs', import.meta.url).href;

await run(async () => {
  const { words, settings, json, values } = readCommand(['subjects']);
  install(here);
  const { GROUPS } = await import('./rows/groups.mjs');
  const names = Object.keys(GROUPS);
  for (const word of words) if (!names.some((name) => name.startsWith(word))) throw new Error(`There is no such group: ${word}. The groups are ${names.join(', ')}.`);
  const chosen = words.length === 0 ? names : names.filter((name) => words.some((word) => name.startsWith(word)));
  const asked = values.subjects?.split(',');
  for (const name of asked ?? []) if (!(name in SUBJECTS)) throw new Error(`There is no such subject: ${name}. The subjects are ${Object.keys(SUBJECTS).join(', ')}.`);
  const options = optionsOf(settings);
  const runtimes = new Map(installedRuntimes().map(({ name, command }) => [name, command]));
  const environment = describeEnvironment(settings);
  print('## Environment\n');
  for (const [name, value] of Object.entries(environment)) print(`- ${name}: ${value}`);

  /** @type {import('./tables.mjs').Standings} */
  const standings = {};
  /** @type {Record<string, Record<string, any>>} */
  const latencies = {};
  /** @type {Record<string, any>} */
  const memory = {};
  /** @type {Record<string, { version: string, how: string }>} */
  const subjects = {};
  // What there is so far is written after each group, so that a run that is broken off leaves what it has.
  const save = () => writeResults('peers', { environment, subjects, standings, latencies, memory, judgements: judge(standings, memory), losses: lossesOf(standings) }, json);
  let saved = '';
  for (const group of chosen) {
    const { subjects: among, roundsMax } = GROUPS[group];
    const entrants = among.filter((name) => asked?.includes(name) ?? true).map((name) => ({
      name, module, command: runtimes.get(SUBJECTS[name].runtime) ?? [process.execPath], environment: { VARVE_BENCH_SUBJECT: name },
    }));
    tell(`${group}: ${entrants.map(({ name }) => name).join(', ')}`);
    const outcome = await contest(entrants, { group }, settings, { rounds: Math.min(roundsMax, options.rounds), warmups: Math.min(2, options.warmups) });
    for (const [row, bySubject] of Object.entries(outcome.standings)) if (!Object.values(bySubject)[0].label.isTimed) standings[row] = bySubject;
    for (const [name, { latency, memory: weighed, version, how }] of Object.entries(outcome.figures)) {
      if (latency !== undefined) (latencies[group.replace('-', '/')] ??= {})[name] = latency;
      if (weighed !== undefined) memory[name] = weighed;
      if (version !== undefined) subjects[name] = { version, how };
    }
    saved = save();
  }

  print('\n## Subjects\n');
  for (const [name, { version, how }] of Object.entries(subjects)) print(`- ${name} ${version}: ${how}`);
  print(`\n## Rows\n\nBehind a peer's rate: how many times as fast the store is, the median of the rounds' own ratios.\n\n${peersTable(standings, Object.keys(SUBJECTS))}`);
  if (Object.keys(latencies).length > 0) print(`\n## YCSB\n\n${latencyTable(standings, latencies)}`);
  if (Object.keys(memory).length > 0) print(`\n## Memory a key beyond key and value\n\n${table(['subject', 'keys', 'ordered', 'of the process', 'by its own account'], Object.entries(memory).map(([name, { keys, isOrdered, resident, own }]) => [name, keys.toLocaleString('en'), isOrdered ? 'yes' : 'no', `${resident.toFixed(0)} B`, own === undefined ? '–' : `${own.toFixed(0)} B`]), [1, 3, 4])}`);
  const judgements = judge(standings, memory);
  const isJudged = settings.size !== 'smoke';
  const aims = table(['row', 'keys', 'peer', 'aim', 'reached', 'met'], judgements.map(({ row, keys, peer, aim, reached, isMet }) => [row, keys.toLocaleString('en'), peer, aim, reached, isJudged ? (isMet ? 'yes' : 'NO') : 'not judged']), [1, 3, 4]);
  print(`\n## Aims\n\n${aims}${isJudged ? `\n\n${judgements.filter(({ isMet }) => isMet).length} of ${judgements.length} met` : ''}`);
  const losses = lossesOf(standings);
  print(`\n## Where a peer is faster\n\n${losses.length === 0 ? 'Nowhere in this run.' : table(['row', 'peer', 'the store is'], losses.map(({ row, subject, ratio }) => [row, subject, `${ratio.toFixed(2)} × as fast`]))}`);
  tell(`\n${saved}`);
});

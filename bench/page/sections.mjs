/** What the page shows, drawn from the raw results: the aims, the peers, latencies, thresholds, floors, runtimes and growth. A section whose results are not there says which command makes them. */
import { median } from '../harness/statistics.mjs';
import { ratioOf } from '../contest/contest.mjs';
import { bars, growth, latencies, multiples, rateLabel, shares } from './draw.mjs';

/** @typedef {{ title: string, text: string, legend?: string[], charts: { caption: string, svg: string }[], tables: { caption: string, head: string[], rows: string[][], isOpen?: boolean }[] }} Section */

const PEERS = ['varve', 'varve, blocking', 'lmdb', 'rocksdb', 'classic-level', 'better-sqlite3', 'node:sqlite', 'bun:sqlite', 'Map', 'floor'];

/** @param {string} title @param {string} command @returns {Section} */
const missing = (title, command) => ({ title, text: `Nothing was measured yet: \`${command}\` does it.`, charts: [], tables: [] });

/** @param {number} rate */
const rate = (rate) => rateLabel(Number(rate.toPrecision(3)));

/** @param {any} peers @returns {Section[]} */
export function peerSections(peers) {
  if (peers === undefined) return [missing('Beside its peers', 'npm run bench:peers')];
  const { standings, latencies: measured, judgements, losses, subjects } = peers;
  const others = PEERS.filter((name) => name !== 'varve' && Object.values(standings).some((among) => /** @type {any} */ (among)[name] !== undefined));
  const points = Object.entries(standings).filter(([row]) => !row.startsWith('ycsb/')).flatMap(([row, among]) => others.filter((name) => among[name] !== undefined && among.varve !== undefined)
    .map((series) => ({ row, series, value: ratioOf(among.varve, among[series]) })));
  const subjectRows = Object.entries(subjects).map(([name, { version, how }]) => [name, version, how]);
  /** @type {Section[]} */
  const sections = [{
    title: 'Beside its peers',
    text: `How many times as fast varve is as each of the others, the median of the rounds' own ratios. Right of the line varve is faster; left of it, the other. ${losses.length === 0 ? 'None of these comparisons is lost.' : `The comparisons that are lost, ${losses.length}, are named in a table.`}`,
    legend: others,
    charts: points.length === 0 ? [] : [{ caption: 'varve against each, by row', svg: multiples(points, PEERS, 'times as fast →') }],
    tables: [
      { caption: 'The aims', isOpen: true, head: ['row', 'keys', 'peer', 'aim', 'reached', 'met'], rows: judgements.map((/** @type {any} */ one) => [one.row, one.keys.toLocaleString('en'), one.peer, one.aim, one.reached, one.isMet ? 'yes' : 'no']) },
      { caption: 'Where a peer is faster', head: ['row', 'peer', 'varve is'], rows: losses.map((/** @type {any} */ one) => [one.row, one.subject, `${one.ratio.toFixed(2)} × as fast`]) },
      { caption: 'All rates', head: ['row', 'keys', 'bytes', 'durability', 'varve', ...others], rows: Object.entries(standings).map(([row, among]) => {
        const { label } = /** @type {any} */ (Object.values(among)[0]);
        return [row, label.keys.toLocaleString('en'), `${label.valueSize}`, label.durability, ...['varve', ...others].map((name) => (among[name] === undefined ? '–' : rate(median(among[name].rates))))];
      }) },
      { caption: 'Who they are', head: ['subject', 'version', 'how'], rows: subjectRows },
    ],
  }];
  const workloads = Object.entries(standings).filter(([row]) => row.startsWith('ycsb/'));
  if (workloads.length > 0) {
    const throughput = workloads.flatMap(([row, among]) => Object.entries(among).map(([series, { rates }]) => ({ row: row.slice(5), series, value: median(rates) })));
    sections.push({
      title: 'YCSB',
      text: 'Records of 10 × 100 bytes, keys by Zipf’s law (θ = 0.99), one client, writes with the operating system when they are acknowledged. Throughput, and how long the slow operations take.',
      legend: PEERS.filter((name) => throughput.some(({ series }) => series === name)),
      charts: [
        { caption: 'Throughput by workload', svg: bars(throughput, PEERS) },
        ...Object.entries(measured).map(([row, bySubject]) => ({
          caption: `Latency, workload ${row.slice(5)}: ${/** @type {any} */ (Object.values(standings[row])[0]).label.what}`,
          svg: latencies(Object.entries(bySubject).flatMap(([series, { curve }]) => curve.map((/** @type {[number, number]} */ [share, nanoseconds]) => ({ series, share, nanoseconds }))), PEERS),
        })),
      ],
      tables: [{ caption: 'Latencies in microseconds', head: ['workload', 'subject', 'p50', 'p90', 'p99', 'p99.9', 'slowest'], rows: Object.entries(measured).flatMap(([row, bySubject]) => Object.entries(bySubject).map(([name, { percentiles }]) =>
        [row, name, ...['50', '90', '99', '99.9', '100'].map((percentile) => (percentiles[percentile] / 1e3).toFixed(1))])) }],
    });
  }
  return sections;
}

/** Rows of one durability have names of their own on a chart. @param {any} result */
const nameOf = ({ name, durability, what }) => `${name}${durability === 'memory' ? '' : ` (${durability})`}${/transaction|snapshot taken/.test(what) && name.includes('after_versions') ? (what.includes('transaction') ? ', tx' : ', snap') : ''}`;

/** @param {any} rows @returns {Section[]} */
export function rowSections(rows) {
  if (rows === undefined) return [missing('Against its thresholds', 'npm run bench')];
  const { results } = rows;
  const judged = results.filter((/** @type {any} */ { threshold }) => threshold.ok !== undefined || threshold.stretch !== undefined);
  const against = judged.flatMap((/** @type {any} */ result) => Object.entries(result.threshold).map(([series, wanted]) => ({ row: nameOf(result), series, value: result.rate / Number(wanted) })));
  const floors = results.filter((/** @type {any} */ { floor }) => floor !== undefined).map((/** @type {any} */ result) => ({ row: nameOf(result), value: result.beside[result.floor].share, what: result.floor }));
  const grown = results.filter((/** @type {any} */ { name }) => name.startsWith('growth/'));
  /** @type {Section[]} */
  const sections = [
    { title: 'Against its thresholds', text: 'Each row over the rate that is good enough (ok), and over the one that is wished for (stretch). Right of the line the threshold is passed.', legend: ['ok', 'stretch'],
      charts: against.length === 0 ? [] : [{ caption: 'Rows over their thresholds', svg: multiples(against, ['ok', 'stretch'], 'times the threshold →') }],
      tables: [{ caption: 'All rows', head: ['row', 'call', 'durability', 'keys', 'bytes', 'rate', 'spread'], rows: results.map((/** @type {any} */ one) => [one.name, one.what, one.durability, one.keys.toLocaleString('en'), `${one.valueSize}`, rate(one.rate), `±${(100 * one.spread).toFixed(0)} %`]) }] },
    { title: 'Against their floors', text: 'What share each row reaches of what the machine takes for the least that it must do: an empty call, a read of memory in no order, a copy of the bytes, a write with or without its flush, a reading of the file.', charts: [{ caption: 'Share of the floor', svg: shares(floors) }], tables: [] },
  ];
  if (grown.length > 0) {
    const series = ['get', 'put', 'Map.get', 'a random read of memory'];
    const points = grown.flatMap((/** @type {any} */ { name, keys, rate: reached, beside }) => [
      { series: name.split('/')[1], keys, value: reached },
      ...Object.entries(beside).filter(([other]) => other === 'Map' || other === series[3]).map(([other, found]) => ({ series: other === 'Map' ? 'Map.get' : other, keys, value: /** @type {any} */ (found).rate })),
    ]);
    const memory = grown.flatMap((/** @type {any} */ { keys, figures }) => Object.entries(figures).map(([series, value]) => ({ series, keys, value })));
    sections.push({
      title: 'As it grows', text: 'Lookups uniform over all keys, and writes that fill an empty store, in memory. A lookup touches memory at random twice, so it goes with what that costs.', legend: series,
      charts: [{ caption: 'Rate by the number of keys', svg: growth(points, series, (value) => rateLabel(value)) }, { caption: 'Memory a key beyond key and value', svg: growth(memory, ['memory bytes a key beyond key and value'], (value) => `${value} B`) }],
      tables: [],
    });
  }
  return sections;
}

/** @param {any} runtimes @returns {Section[]} */
export function runtimeSections(runtimes) {
  if (runtimes === undefined) return [missing('In every runtime', 'npm run bench:runtimes')];
  const { standings, names } = runtimes;
  const [first, ...others] = names;
  const entries = Object.values(standings).filter((among) => /** @type {any} */ (among)[first] !== undefined);
  const points = entries.flatMap((among) => others.filter((/** @type {string} */ name) => among[name] !== undefined).map((/** @type {string} */ series) => ({ row: nameOf(among[first].label), series, value: ratioOf(among[series], among[first]) })));
  return [{
    title: 'In every runtime', text: `The same rows in ${names.join(', ')}, round by round. Right of the line a runtime is faster than ${first}.`, legend: others,
    charts: points.length === 0 ? [] : [{ caption: `Times ${first}`, svg: multiples(points, others, `times ${first} →`) }],
    tables: [{ caption: 'Rates side by side', head: ['row', 'call', 'durability', ...names], rows: entries.map((among) => {
      const { label } = among[first];
      return [label.name, label.what, label.durability, ...names.map((/** @type {string} */ name) => (among[name] === undefined ? '–' : rate(median(among[name].rates))))];
    }) }],
  }];
}

/** The place of a series among the colors of its section. @param {Section} section @param {string} name */
export function colorIndex({ title }, name) {
  const order = title === 'Beside its peers' || title === 'YCSB' ? PEERS : undefined;
  return order?.indexOf(name);
}

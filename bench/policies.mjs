/**
 * How many bytes compaction copies for one that is written, by how it chooses segments: `node bench/policies.mjs [share that is live]`. A simulation of a log in which 100,000 records are overwritten for ever, 1,900 to a segment, three quarters
 * of which are live unless another share is asked for. Rounds fill two segments, sorted by age. The last rule knows what no store knows: how often each record is written.
 */
import { createRandom } from './harness/data.mjs';

const RECORDS = 100_000;
const PER_SEGMENT = 1900;
const UTILISATION = Number(process.argv[2] ?? 0.75);
if (!(UTILISATION > 0 && UTILISATION < 1)) throw new Error('The share that is live lies between 0 and 1.');
const SKEW = 0.99;
const ROUNDS = 12;

/** Scores of a segment: its dead share, its live share, its age in segments, and how often what lives in it is written. */
const RULES = {
  greedy: ({ dead }) => dead,
  'cost-benefit': ({ dead, live, age }) => (dead * age) / (1 + live),
  'dead² √age': ({ dead, age }) => dead * dead * Math.sqrt(age),
  oracle: ({ dead, rate }) => (dead * dead) / (rate() + 1e-9),
};

function distribution(name, random) {
  const chances = new Float64Array(RECORDS).fill(1 / RECORDS);
  if (name === 'uniform') return { chances, draw: () => random.below(RECORDS) };
  const sums = new Float64Array(RECORDS);
  let sum = 0;
  for (let rank = 0; rank < RECORDS; rank++) sums[rank] = sum += (rank + 1) ** -SKEW;
  for (let rank = 0; rank < RECORDS; rank++) chances[(rank * 7919) % RECORDS] = (rank + 1) ** -SKEW / sum;
  const draw = () => {
    const wanted = (random.next() / 2 ** 32) * sum;
    let low = 0;
    let high = RECORDS - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sums[middle] < wanted) low = middle + 1;
      else high = middle;
    }
    return (low * 7919) % RECORDS;
  };
  return { chances, draw };
}

function simulate(name, score, isOracle) {
  const { chances, draw } = distribution(name, createRandom(1));
  const limit = Math.ceil(RECORDS / (PER_SEGMENT * UTILISATION));
  const home = new Int32Array(RECORDS).fill(-1);
  const version = new Float64Array(RECORDS);
  const segments = new Map();
  let next = 0;
  let moved = 0;
  let written = 0;
  const begin = () => {
    const segment = { number: next++, keys: [], live: 0 };
    segments.set(segment.number, segment);
    return segment;
  };
  let tail = begin();
  const append = (key) => {
    const before = segments.get(home[key]);
    if (before !== undefined && --before.live === 0 && before !== tail) segments.delete(before.number);
    tail.keys.push(key);
    tail.live++;
    home[key] = tail.number;
    if (tail.keys.length < PER_SEGMENT) return false;
    tail = begin();
    return true;
  };
  const livingIn = (segment) => [...new Set(segment.keys.filter((key) => home[key] === segment.number))];
  const best = (taken) => {
    let chosen;
    let highest = 0;
    for (const segment of segments.values()) {
      if (segment === tail || taken.has(segment)) continue;
      const live = segment.live / PER_SEGMENT;
      const rate = () => livingIn(segment).reduce((sum, key) => sum + chances[key], 0);
      const value = score({ dead: 1 - live, live, age: next - segment.number, rate });
      if (value > highest && live < 0.98) [chosen, highest] = [segment, value];
    }
    return chosen;
  };
  const compact = () => {
    const taken = new Set();
    const living = [];
    while (living.length < 2 * PER_SEGMENT) {
      const segment = best(taken);
      if (segment === undefined) break;
      taken.add(segment);
      living.push(...livingIn(segment));
    }
    living.sort(isOracle ? (left, right) => chances[left] - chances[right] : (left, right) => version[left] - version[right]);
    for (const key of living) append(key);
    moved += living.length;
    for (const { number } of taken) segments.delete(number);
  };
  for (let count = 0; count < RECORDS * (1 + ROUNDS); count++) {
    const key = count < RECORDS ? count : draw();
    if (count === RECORDS * (ROUNDS - 1)) moved = written = 0;
    version[key] = count;
    written++;
    if (append(key)) while (segments.size > limit) compact();
  }
  return moved / written;
}

for (const name of ['uniform', 'zipfian']) {
  for (const [rule, score] of Object.entries(RULES)) process.stdout.write(`${name}, ${rule}: ${simulate(name, score, rule === 'oracle').toFixed(2)}\n`);
}

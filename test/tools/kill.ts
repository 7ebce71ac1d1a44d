/**
 * Kills writers for a long time: `node test/run.mjs kill [--minutes N | --lives N] [--threads] [--seed N]`. Without a limit, 1,000 lives. With `--threads`, threads are
 * terminated instead of processes killed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { MODES, runLives, textOf, type ModeName } from '../support/killing.js';
import { seedOf } from '../support/random.js';

const LIVES = 1000;

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, lives: { type: 'string' }, threads: { type: 'boolean', default: false }, seed: { type: 'string' } },
});
const seed = Number(values.seed ?? seedOf(Math.floor(Date.now() / 1000) % 1_000_000));
const minutes = values.minutes === undefined ? Infinity : Number(values.minutes);
const lives = values.lives === undefined ? (minutes === Infinity ? LIVES : Infinity) : Number(values.lives);
if (!(minutes > 0) || !(lives > 0) || !Number.isInteger(seed)) throw new Error('--minutes and --lives take positive numbers, --seed a whole one.');

const folder = mkdtempSync(join(tmpdir(), 'varve-kill-'));
const began = performance.now();
let said = 0;
const figures = await runLives({
  folder,
  seed,
  habitat: values.threads ? 'thread' : 'process',
  modes: Object.keys(MODES) as ModeName[],
  replay: `node test/run.mjs kill${values.threads ? ' --threads' : ''} --lives ${lives === Infinity ? LIVES : lives}`,
  goesOn: (count) => {
    if (count - said >= 500) process.stdout.write(`${said = count} lives\n`);
    return count < lives && performance.now() - began < minutes * 60_000;
  },
});
process.stdout.write(`seed ${seed}: ${textOf(figures, performance.now() - began)}\n`);
rmSync(folder, { recursive: true });

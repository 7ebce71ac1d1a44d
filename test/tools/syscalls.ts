/**
 * Makes every system call of a store fail in every way: `node test/run.mjs syscalls [--base create|recover] [--mode strict|...] [--call NAME] [--only TEXT] [--every N] [--seed N]`. Without options, all of
 * them: some ten thousand processes. `--only` takes cases whose name, as it is printed with what went wrong, contains the text; `--every` one of so many.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { seedOf } from '../support/random.js';
import { canTrace } from '../support/strace.js';
import { BASES, Bench, CASE_MODES, textOfCase, type Case } from '../support/syscall-cases.js';
import { runCases, textOfVerdicts } from '../support/syscall-judge.js';

const { values } = parseArgs({
  options: { base: { type: 'string' }, mode: { type: 'string' }, call: { type: 'string' }, only: { type: 'string', default: '' }, every: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
if (!canTrace()) process.exit(0);
const folder = mkdtempSync(join(tmpdir(), 'varve-syscalls-'));
const bench = await Bench.make(folder, Number(values.seed ?? seedOf(7)));
const cases: Case[] = [];
for (const base of BASES) {
  for (const mode of CASE_MODES) {
    if ((values.base ?? base) === base && (values.mode ?? mode) === mode) cases.push(...await bench.cases(base, mode));
  }
}
const chosen = cases.filter((one) => (values.call ?? one.injection.call) === one.injection.call && textOfCase(one).includes(values.only))
  .filter((_, index) => index % Number(values.every) === 0);
process.stdout.write(`${chosen.length} cases\n`);
const began = performance.now();
const { verdicts, wrong } = await runCases(bench, chosen, availableParallelism() + 1);
process.stdout.write(`${textOfVerdicts(verdicts)}, in ${((performance.now() - began) / 1000).toFixed(0)} s\n`);
for (const text of wrong) process.stdout.write(`${text}\n`);
rmSync(folder, { recursive: true });
process.exitCode = wrong.length === 0 ? 0 : 1;

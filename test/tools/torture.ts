/** Real power cuts: kernels that are cut off in the middle, crash images of real file systems, and disks whose flushes fail. `test/torture/README.md` says what each proves. */
import { BlockCuts } from '../torture/block.js';
import { runClerk } from '../torture/clerk.js';
import { scoped, undoAll } from '../torture/ending.js';
import { FAULT_COUNT, Failures } from '../torture/failures.js';
import { Figures } from '../torture/figures.js';
import { runGuest } from '../torture/guest.js';
import { missing, type FileSystemName } from '../torture/host.js';
import { parseOptions, USAGE, type Options } from '../torture/options.js';
import { cutPower } from '../torture/uml.js';
import { Random, seedOf } from '../support/random.js';

/** How the process ends. */
const OK = 0;
const VIOLATED = 1;
const TROUBLE = 2;
const CANNOT_RUN = 3;
const INTERRUPTED = 130;

/** A part that violated so often has made its point. */
const VIOLATIONS_MAX = 5;

type Part = (fileSystem: FileSystemName, options: Options, random: Random, figures: Figures) => Promise<void>;

const cutKernels: Part = (fileSystem, { cycles }, random, figures) => cutPower(fileSystem, random, figures, (cycle) => cycle < cycles && figures.violations.length < VIOLATIONS_MAX);

const cutBlocks: Part = async (fileSystem, { workloads, commits, images }, random, figures) => {
  const cuts = await BlockCuts.make(fileSystem, figures, random);
  for (let workload = 0; workload < workloads; workload++) await cuts.round({ commits, prefixes: images, reordered: images, violationsMax: VIOLATIONS_MAX });
  figures.note = `${cuts.writes} writes recorded, ${cuts.reordered} images reordered, ${cuts.nested} within a recovery`;
};

const failFlushes: Part = async (fileSystem, { cycles }, random, figures) => {
  const failures = await Failures.make(fileSystem, figures, random);
  process.stdout.write(`failed  ${fileSystem.padEnd(6)} without a store: ${await failures.control()}\n`);
  for (let cycle = 0; cycle < cycles && figures.violations.length < VIOLATIONS_MAX; cycle++) await failures.round(cycle);
  if (cycles >= FAULT_COUNT && failures.inDoubt === 0) throw new Error('no failure reached a commit: nothing was tried');
  figures.note = `${failures.inDoubt} commits in doubt, ${failures.stopped} file systems stopped, ${failures.missed} failures met no commit`;
};

const ALL: readonly { readonly name: string; readonly of: Options['parts'][number]; readonly run: Part }[] = [
  { name: 'uml', of: 'uml', run: cutKernels },
  { name: 'block', of: 'block', run: cutBlocks },
  { name: 'failed', of: 'block', run: failFlushes },
];

async function torture(options: Options): Promise<number> {
  const began = performance.now();
  let violations = 0;
  for (let pass = 0; pass === 0 || performance.now() - began < (options.minutes ?? 0) * 60_000; pass++) {
    for (const { name, of, run } of ALL) {
      if (!options.parts.includes(of)) continue;
      for (const fileSystem of options.fileSystems) {
        const figures = new Figures(name, fileSystem);
        const start = performance.now();
        await scoped(() => run(fileSystem, options, new Random(options.seed + pass), figures));
        figures.milliseconds = performance.now() - start;
        process.stdout.write(`${figures.toString()}\n`);
        violations += figures.violations.length;
      }
    }
  }
  process.stdout.write(violations === 0 ? 'no violation\n' : `${violations} violations\n`);
  return violations === 0 ? OK : VIOLATED;
}

function lacks(options: Options): boolean {
  let isLacking = false;
  for (const part of options.parts) {
    for (const what of missing(part, options.fileSystems)) {
      process.stderr.write(`${part} cannot run here: ${what} is missing\n`);
      isLacking = true;
    }
  }
  return isLacking;
}

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2), seedOf(1));
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n${USAGE}`);
    return TROUBLE;
  }
  if (lacks(options)) return CANNOT_RUN;
  let isInterrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      isInterrupted = true;
      process.stderr.write('interrupted: cleaning up\n');
      void undoAll().then(() => process.exit(INTERRUPTED));
    });
  }
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${error.stack}\n`);
    void undoAll().then(() => process.exit(TROUBLE));
  });
  try {
    return await torture(options);
  } catch (error) {
    if (isInterrupted) return INTERRUPTED;
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return TROUBLE;
  } finally {
    await undoAll();
  }
}

const role = process.env['VARVE_TORTURE_ROLE'];
if (role === 'guest') await runGuest();
else if (role === 'clerk') await runClerk();
else process.exit(await main());

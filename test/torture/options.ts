/** What the command line of the tool says. */
import { FILE_SYSTEMS, type FileSystemName } from './host.js';

export const PARTS = ['uml', 'block'] as const;
export type PartName = (typeof PARTS)[number];

export interface Options {
  readonly parts: readonly PartName[];
  readonly fileSystems: readonly FileSystemName[];
  readonly seed: number;
  /** Kernels cut off, and failures injected, for each file system. */
  readonly cycles: number;
  /** Workloads that are recorded, and the most images of each: in the order of writes, and reordered. */
  readonly workloads: number;
  readonly commits: number;
  readonly images: number;
  /** The whole is done again with the next seeds until so much time has passed; undefined: once. */
  readonly minutes: number | undefined;
}

export const USAGE = `npm run torture -- [uml|block|all] [--fs ext4,xfs,btrfs] [--cycles N] [--minutes M] [--seed S] [--short]
  uml        a kernel that is cut off in the middle (User-Mode Linux)
  block      crash images and failing flushes, on a disk that this process serves
  --cycles   kernels cut, and failures injected, for each file system (30); one workload is recorded for every 15
  --minutes  do it again with the next seeds until the time is over
  --short    4 cycles and 80 images for each file system
`;

const COUNT_MAX = 1_000_000;
const CYCLES = 30;
const CYCLES_A_WORKLOAD = 15;

function countOf(name: string, text: string | undefined): number {
  const value = Number(text);
  if (text === undefined || !(value > 0 && value <= COUNT_MAX)) throw new Error(`--${name} takes a number above 0`);
  return value;
}

function fileSystemOf(name: string): FileSystemName {
  const known = FILE_SYSTEMS.find((one) => one === name);
  if (known === undefined) throw new Error(`--fs takes ${FILE_SYSTEMS.join(', ')}`);
  return known;
}

/** @throws Error for what is not an option. */
export function parseOptions(words: readonly string[], fallbackSeed: number): Options {
  let parts: readonly PartName[] = PARTS;
  let fileSystems: readonly FileSystemName[] = FILE_SYSTEMS;
  let seed = fallbackSeed;
  let cycles: number | undefined;
  let minutes: number | undefined;
  let isShort = false;
  for (let place = 0; place < words.length; place++) {
    const word = words[place]!;
    const part = PARTS.find((one) => one === word);
    if (part !== undefined) parts = [part];
    else if (word === '--fs') fileSystems = (words[++place] ?? '').split(',').map(fileSystemOf);
    else if (word === '--cycles') cycles = Math.ceil(countOf('cycles', words[++place]));
    else if (word === '--minutes') minutes = countOf('minutes', words[++place]);
    else if (word === '--seed') seed = Math.floor(countOf('seed', words[++place]));
    else if (word === '--short') isShort = true;
    else if (word !== 'all') throw new Error(`there is no option ${word}`);
  }
  const plan = isShort
    ? { cycles: cycles ?? 4, workloads: 1, commits: 25, images: 40 }
    : { cycles: cycles ?? CYCLES, workloads: Math.ceil((cycles ?? CYCLES) / CYCLES_A_WORKLOAD), commits: 60, images: 400 };
  return { parts, fileSystems, seed, minutes, ...plan };
}

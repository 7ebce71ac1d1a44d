/** What runs within User-Mode Linux, as its first and only process: mounts the disk, opens the store, examines it, and writes until the power is cut. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readSync, writeSync } from 'node:fs';
import { lineOf, type Message } from './console.js';
import type { FileSystemName } from './host.js';
import { loadLibrary } from './library.js';
import { examine, Violation, versionOf, type Knowledge, type Life } from './workload.js';
import { write, type Manner } from './writer.js';

/** What the host leaves for the guest, in the file that `VARVE_TORTURE_ORDERS` names. */
export interface Orders {
  readonly fileSystem: FileSystemName;
  readonly segmentSize: number;
  readonly knowledge: Knowledge;
  /** The highest version that any life has shown. */
  readonly shown: number;
  readonly life: Life;
  readonly manner: Manner;
}

const FOLDER = '/mnt';

function say(message: Message): void {
  writeSync(1, lineOf(message));
}

function mount(fileSystem: string): void {
  const { status, stderr } = spawnSync('mount', ['-t', fileSystem, '/dev/ubda', FOLDER], { encoding: 'utf8' });
  if (status !== 0) throw new Violation(`${fileSystem} does not mount: ${stderr}`);
}

async function live({ fileSystem, segmentSize, knowledge, shown, life, manner }: Orders): Promise<void> {
  const { open } = await loadLibrary();
  say({ type: 'booted' });
  mount(fileSystem);
  const store = await open(`${FOLDER}/store.varve`, { segmentSize, flush: manner.isSync ? 'sync' : 'async' });
  const state = examine(store, knowledge);
  await store.verify();
  say({ type: 'recovered', state });
  // The host lets us go on only when it knows where the life before has ended.
  readSync(0, Buffer.alloc(1));
  const before = Math.max(shown, versionOf(state));
  let seen = before;
  await write(store, life, state.number + 1, manner, () => true, {
    applied: (_, version) => (seen = Math.max(seen, version)),
    acknowledged: (number, version) => {
      if (version <= before) throw new Violation(`commit ${number} was given version ${version}; versions up to ${before} had been shown before`);
      say({ type: 'acknowledged', number, version, shown: seen });
    },
  });
}

/** The program of the guest. It ends with the power. */
export async function runGuest(): Promise<void> {
  try {
    await live(JSON.parse(readFileSync(process.env['VARVE_TORTURE_ORDERS']!, 'utf8')) as Orders);
  } catch (error) {
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    const isRefusal = error instanceof Violation || (error as { code?: string }).code?.startsWith('VARVE_') === true;
    say({ type: isRefusal ? 'violation' : 'trouble', reason });
    // Linux panics when its first process ends: the host cuts the power instead.
    setInterval(() => undefined, 1000);
  }
}

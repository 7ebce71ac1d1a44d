/** A writer that is made to be killed: opens a store, tells what it finds, and then performs the operations of its life until it is ended. It runs in a process or in a thread of its own. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { workerData } from 'node:worker_threads';
import { open } from '../../src/open.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import type { Dump } from './ledger.js';
import { digestOf, keyOf, KEY_COUNT, perform, stampOf } from './life.js';

export interface Order {
  readonly path: string;
  readonly seed: number;
  readonly life: number;
  readonly options: OpenOptions;
  /** How many operations are on their way at once. */
  readonly lanes: number;
  /** Whether operations block. */
  readonly isSync: boolean;
  /** After so many operations the writer ends in order, with `close` or without. */
  readonly end: { readonly by: 'close' | 'exit'; readonly after: number } | undefined;
  /** After so many operations it rests until the store is idle. */
  readonly restAfter: number;
  readonly verifies: boolean;
}

/** Longer than a store waits until it seals its last commit. */
const REST = 70;

const keys = new Map(Array.from({ length: KEY_COUNT }, (_, key) => [keyOf(key), key]));

/** What a store holds, in the words of the ledger. */
export function dumpOf(db: Store, version = db.stats().version): Dump {
  const entries = Array.from(db.scan(), ({ key, value, version }) => ({ key: keys.get(key as string)!, version, stamp: stampOf(value as Uint8Array), digest: digestOf(value as Uint8Array) }));
  return { version, clean: db.recovery.clean, dropped: db.recovery.dropped?.bytes ?? 0, entries };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Lives until it is ended. It says `opened` with what it found, `done` with the number and version of each operation that is acknowledged, `flushed` and `ended` with how many operations were
 * then promised to be there.
 */
async function live(order: Order, say: (line: string) => void): Promise<void> {
  const { seed, life, options } = order;
  const db = await open(order.path, { ...options, memory: { initial: 1 << 20 } });
  if (order.verifies) await db.verify();
  say(`opened ${JSON.stringify(dumpOf(db))}`);
  let count = 0;
  const last = order.end?.after ?? Infinity;
  const lane = async (): Promise<void> => {
    while (count < last) {
      const number = count++;
      const version = await perform(db, seed, life, number, order.isSync);
      // A blocking call hands over at the end of the turn in this mode, and not before it returns.
      if (order.isSync && options.durability === 'buffered') await nextTurn();
      say(`done ${number} ${version}`);
      if (number === order.restAfter) await new Promise((resolve) => setTimeout(resolve, REST));
      if (number % 64 === 63) {
        const begun = count;
        await db.flush();
        say(`flushed ${begun}`);
      } else if (number % 8 === 7) await nextTurn();
    }
  };
  await Promise.all(Array.from({ length: order.lanes }, lane));
  if (order.end?.by === 'exit') {
    // After the store has heard of the end: in relaxed mode it hands over then what it still holds, and a writer that is killed before that has promised nothing.
    process.once('exit', () => say(`ended ${count}`));
    return;
  }
  await db.close();
  say(`ended ${count}`);
}

/** Says a line to whoever started this process, before it goes on: a line that was only on its way would die with the process. */
export function sayLine(line: string): void {
  const bytes = Buffer.from(`${line}\n`, 'latin1');
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(1, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

/** A process that waits for its order on one line of its input. */
export async function serve(): Promise<void> {
  // What is compiled and loaded once is so before the order comes.
  await (await open(':memory:', { memory: { initial: 1 << 20 } })).close();
  sayLine('ready');
  createInterface({ input: process.stdin }).once('line', (line) => {
    live(JSON.parse(line) as Order, sayLine).then(() => process.exit(0), (error: unknown) => {
      sayLine(`failed ${error instanceof Error ? error.stack : String(error)}`.replaceAll('\n', ' '));
      process.exit(1);
    });
  });
}

/** Where a thread leaves its lines, so that none is lost when it is terminated: their total size in the first word, then the lines. */
export interface Slate {
  readonly order: Order;
  readonly shared: SharedArrayBuffer;
}

/** A thread that has its order with it. */
export async function serveThread(): Promise<void> {
  const { order, shared } = workerData as Slate;
  const size = new Int32Array(shared, 0, 1);
  const text = new Uint8Array(shared, 4);
  const say = (line: string): void => {
    const bytes = new TextEncoder().encode(`${line}\n`);
    const start = Atomics.load(size, 0);
    if (start + bytes.length > text.length) throw new Error('the slate is full');
    text.set(bytes, start);
    Atomics.store(size, 0, start + bytes.length);
  };
  await live(order, say).catch((error: unknown) => say(`failed ${error instanceof Error ? error.stack : String(error)}`.replaceAll('\n', ' ')));
}

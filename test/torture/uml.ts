/**
 * A kernel that is cut off in the middle. User-Mode Linux runs a whole Linux, with its page cache, its file system and its journal, as processes of this machine: killing them is a power cut, after which
 * the image of its disk holds what that Linux had written to it, and nothing of what it still meant to write.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Random } from '../support/random.js';
import { messageOf, type Message } from './console.js';
import type { Figures } from './figures.js';
import type { Orders } from './guest.js';
import { onEnd } from './ending.js';
import { hasTiles, IMAGE_SIZE, KEPT, makeFileSystem, makeFolder, run, type FileSystemName } from './host.js';
import { EMPTY, versionOf, type Knowledge, type Life } from './workload.js';

/** A guest that says nothing for so long is stuck, which a store must never cause either. */
const SILENCE_MAX = 120_000;
const CONSOLE_LINES_KEPT = 30;
const XSTATE = 'test/torture/xstate.c';

/** What the environment of a guest has to hold: nothing but on processors with AMX, which User-Mode Linux 6.1 needs help with (`xstate.c`). */
async function environmentOf(folder: string): Promise<Record<string, string>> {
  if (!hasTiles()) return {};
  const library = join(folder, 'xstate.so');
  await run('cc', '-O2', '-shared', '-fPIC', '-o', library, XSTATE);
  return { LD_PRELOAD: library };
}

/** A running guest: a process group of its own. */
class Guest {
  readonly ended: Promise<void>;
  /** What the console said last, for a person. */
  readonly console: string[] = [];
  readonly #process: ChildProcess;

  constructor(init: string, disk: string, environment: Record<string, string>, onMessage: (message: Message) => void) {
    this.#process = spawn('linux.uml', [
      'mem=320M', 'root=/dev/root', 'rootfstype=hostfs', 'rootflags=/', 'ro', `ubda=${disk}`, `init=${init}`, 'con0=fd:0,fd:1', 'con=null', 'ssl=null', 'quiet',
    ], { detached: true, stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...environment } });
    createInterface({ input: this.#process.stdout! }).on('line', (line) => {
      const message = messageOf(line);
      if (message !== undefined) onMessage(message);
      else if (this.console.push(line) > CONSOLE_LINES_KEPT) this.console.shift();
    });
    this.ended = new Promise((resolve) => this.#process.on('close', () => resolve()));
    this.#process.stdin!.on('error', () => undefined);
  }

  goOn(): void {
    this.#process.stdin!.write('\n');
  }

  /** Cuts the power. */
  async cut(): Promise<void> {
    try {
      process.kill(-this.#process.pid!, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
    await this.ended;
  }
}

/** When the power is cut: while the guest mounts and recovers, or after so many acknowledged commits, and so many milliseconds more. */
interface Cut {
  readonly isEarly: boolean;
  readonly commits: number;
  readonly delay: number;
}

/** One disk, and the many lives that a store has on it. */
class Machine {
  readonly #fileSystem: FileSystemName;
  readonly #random: Random;
  readonly #figures: Figures;
  readonly #disk = join(makeFolder(true), 'disk.img');
  /** A guest sees the files of this machine, but for those under /dev, where it has devices of its own. */
  readonly #folder = makeFolder(false);
  readonly #segmentSize: number;
  #environment: Record<string, string> = {};
  #knowledge: Knowledge;
  #shown = 0;
  #lives = 0;
  /** Whether something went wrong with its store: what comes after would be wrong as well. */
  isSpoilt = false;

  constructor(fileSystem: FileSystemName, random: Random, figures: Figures) {
    this.#fileSystem = fileSystem;
    this.#random = random;
    this.#figures = figures;
    this.#segmentSize = random.pick([4096, 16384, 65536, 262144]);
    this.#knowledge = { from: EMPTY, life: this.#newLife(), acknowledged: [] };
  }

  async make(): Promise<void> {
    writeFileSync(this.#disk, '');
    truncateSync(this.#disk, IMAGE_SIZE);
    await makeFileSystem(this.#fileSystem, this.#disk);
    const orders = join(this.#folder, 'orders.json');
    writeFileSync(join(this.#folder, 'init'), `#!/bin/sh
export PATH='${process.env['PATH']}' NO_COLOR=1 VARVE_TORTURE_ROLE=guest VARVE_TORTURE_ORDERS='${orders}'
mount -t proc proc /proc
stty -echo -onlcr </dev/console
exec '${process.execPath}' '${process.argv[1]}'
`);
    chmodSync(join(this.#folder, 'init'), 0o755);
    this.#environment = await environmentOf(this.#folder);
  }

  #newLife(): Life {
    return { seed: this.#random.seed, life: this.#lives++ };
  }

  #planCut(): Cut {
    const random = this.#random;
    const isEarly = random.chance(0.25);
    return { isEarly, commits: random.chance(0.2) ? random.below(3) : random.below(400), delay: random.below(isEarly ? 700 : 25) };
  }

  /** One life, from power on to power cut. */
  async live(): Promise<void> {
    const random = this.#random;
    const life = this.#newLife();
    const orders: Orders = {
      fileSystem: this.#fileSystem, segmentSize: this.#segmentSize, knowledge: this.#knowledge, shown: this.#shown, life,
      manner: { isSync: random.chance(0.4), depth: 1 + random.below(8) },
    };
    writeFileSync(join(this.#folder, 'orders.json'), JSON.stringify(orders));
    await run('cp', '--sparse=always', this.#disk, `${this.#disk}.before`);
    const wrong = await this.#powerOn(life, this.#planCut());
    this.#figures.cycles++;
    if (wrong === undefined) return;
    this.isSpoilt = true;
    mkdirSync(KEPT, { recursive: true });
    const kept = `${KEPT}/uml-${this.#fileSystem}-${random.seed}-${life.life}`;
    copyFileSync(`${this.#disk}.before`, `${kept}.img`);
    copyFileSync(join(this.#folder, 'orders.json'), `${kept}.json`);
    this.#figures.violate(`${wrong} (seed ${random.seed}, life ${life.life}; the disk as it was found: ${kept}.img, what was known of it: ${kept}.json)`);
  }

  /** Runs the guest until its power is cut, and learns what it says. Returns what is wrong with the store, if anything is. */
  async #powerOn(life: Life, cut: Cut): Promise<string | undefined> {
    const acknowledged: [number, number][] = [];
    let wrong: string | undefined;
    let end: () => void = () => undefined;
    const isTime = new Promise<void>((resolve) => (end = resolve));
    const guest = new Guest(join(this.#folder, 'init'), this.#disk, this.#environment, (message) => {
      silence.refresh();
      switch (message.type) {
        case 'booted':
          if (cut.isEarly) setTimeout(end, cut.delay);
          break;
        case 'recovered':
          this.#figures.images++;
          this.#knowledge = { from: message.state, life, acknowledged };
          this.#shown = Math.max(this.#shown, versionOf(message.state));
          if (cut.isEarly) break;
          guest.goOn();
          if (cut.commits === 0) setTimeout(end, cut.delay);
          break;
        case 'acknowledged':
          this.#figures.acknowledged++;
          acknowledged.push([message.number, message.version]);
          this.#shown = Math.max(this.#shown, message.shown);
          if (acknowledged.length === cut.commits) setTimeout(end, cut.delay);
          break;
        case 'violation':
          wrong = message.reason;
          end();
          break;
        case 'trouble':
          guest.console.push(message.reason);
          void guest.cut();
      }
    });
    const undo = onEnd('the guest', () => guest.cut());
    const silence = setTimeout(() => {
      wrong = 'the guest fell silent';
      end();
    }, SILENCE_MAX);
    const isCut = await Promise.race([isTime.then(() => true), guest.ended.then(() => false)]);
    clearTimeout(silence);
    // What it says until it is dead counts.
    await undo();
    if (!isCut) throw new Error(`the guest ended by itself:\n${guest.console.join('\n')}`);
    return wrong;
  }
}

/** Cuts the power again and again, on one disk as long as nothing goes wrong. */
export async function cutPower(fileSystem: FileSystemName, random: Random, figures: Figures, goesOn: (cycle: number) => boolean): Promise<void> {
  let machine: Machine | undefined;
  for (let cycle = 0; goesOn(cycle); cycle++) {
    if (machine === undefined || machine.isSpoilt) {
      machine = new Machine(fileSystem, random, figures);
      await machine.make();
    }
    await machine.live();
  }
}

/** What happened to a disk while a store was written on it, and the images that a power cut could have left: the first so many writes, or, since a disk may reorder what no flush has ordered, any choice of those behind the last flush. */
import type { Random } from '../support/random.js';
import { BLOCK_SIZE, Disk, type DiskEvent } from './disk.js';

/** A commit that was acknowledged, and how many events its disk had seen, up to and with the last flush, when it was. */
export interface Acknowledged {
  readonly number: number;
  readonly version: number;
  readonly flushed: number;
}

/** A version that was shown to a reader when the disk had seen so many events. */
export interface Shown {
  readonly version: number;
  readonly events: number;
}

/** A possible image: everything before `flushed`, and of the writes from there to `cut` what `keep` says. */
export interface Cut {
  readonly cut: number;
  readonly flushed: number;
  /** Undefined: all of them, as if the disk kept their order. */
  readonly keep: ((event: number, block: number) => boolean) | undefined;
  readonly description: string;
}

/** For each number of events, how many of them a flush has made durable. */
function flushedBefore(events: readonly DiskEvent[]): number[] {
  const flushed = [0];
  for (const [index, event] of events.entries()) flushed.push(event === 'flush' ? index + 1 : flushed[index]!);
  return flushed;
}

function choose(random: Random, flushed: number, cut: number): Pick<Cut, 'keep' | 'description'> {
  const one = flushed + random.below(cut - flushed);
  const seed = random.next();
  // The choice of an event or block depends on nothing but the seed and its place, so it is the same whenever it is asked for.
  const lot = (event: number, block: number): boolean => ((Math.imul(seed ^ Math.imul(event + 1, 0x85ebca6b) ^ Math.imul(block + 1, 0xc2b2ae35), 0x9e3779b1) >>> 16) & 1) === 1;
  switch (random.below(5)) {
    case 0: return { keep: (event) => event !== one, description: `without write ${one}` };
    case 1: return { keep: (event) => event === one, description: `with write ${one} alone` };
    case 2: return { keep: (event) => lot(event, -1), description: `with every other write, by lot ${seed}` };
    case 3: return { keep: (event, block) => event !== one || lot(event, block), description: `with blocks of write ${one}, by lot ${seed}` };
    default: return { keep: lot, description: `with every other block, by lot ${seed}` };
  }
}

export class Recording {
  readonly #start: Disk;
  readonly #events: readonly DiskEvent[];
  readonly #flushed: readonly number[];

  /** `start` is the disk before the first event. */
  constructor(start: Disk, events: readonly DiskEvent[]) {
    this.#start = start;
    this.#events = events;
    this.#flushed = flushedBefore(events);
  }

  get writes(): number {
    return this.#events.reduce((count, event) => count + (event === 'flush' ? 0 : 1), 0);
  }

  /** Its events, a line each, for a person who looks at an image: which blocks were written between which flushes. */
  toString(): string {
    const line = (event: DiskEvent, index: number): string => (event === 'flush' ? `${index} flush` : `${index} write ${event.offset} ${event.data.length}${event.data.some((byte) => byte !== 0) ? '' : ' zeros'}`);
    return `${this.#events.map(line).join('\n')}\n`;
  }

  /** Every image that keeps the order of writes: one behind each of them, and one before the first. Flushes change no image; more is promised behind them, so the cut is there. */
  prefixes(): Cut[] {
    const cuts: Cut[] = [];
    for (let cut = 0; cut <= this.#events.length; cut++) {
      if (this.#events[cut] !== 'flush') cuts.push({ cut, flushed: this.#flushed[cut]!, keep: undefined, description: `after ${cut} events` });
    }
    return cuts;
  }

  /** So many images of writes that were reordered, anywhere where there is something to reorder. */
  reordered(count: number, random: Random): Cut[] {
    const places = this.#flushed.flatMap((flushed, cut) => (cut - flushed > 1 ? [cut] : []));
    if (places.length === 0) return [];
    return Array.from({ length: count }, () => {
      const cut = random.pick(places);
      const flushed = this.#flushed[cut]!;
      const { keep, description } = choose(random, flushed, cut);
      return { cut, flushed, keep, description: `after ${cut} events, of those behind ${flushed} ${description}` };
    });
  }

  /** What is left when everything is lost that was not flushed by the time of `cut` events. */
  flushedOnly(cut: number): Cut {
    return { cut, flushed: this.#flushed[cut]!, keep: () => false, description: `after ${cut} events, with what was flushed alone` };
  }

  /** The disks of cuts, in the order of what was flushed. Each is good until the next is asked for. */
  * images(cuts: readonly Cut[]): Iterable<readonly [Cut, Disk]> {
    const durable = new Disk(this.#start);
    let done = 0;
    for (const cut of [...cuts].sort((one, other) => one.flushed - other.flushed)) {
      for (; done < cut.flushed; done++) this.#replay(durable, done, undefined);
      const image = new Disk(durable);
      for (let event = cut.flushed; event < cut.cut; event++) this.#replay(image, event, cut.keep);
      yield [cut, image];
    }
  }

  #replay(disk: Disk, index: number, keep: Cut['keep']): void {
    const event = this.#events[index]!;
    if (event === 'flush') return;
    if (keep === undefined) {
      disk.patch(event.offset, event.data);
      return;
    }
    // Blocks as the disk counts them: a write may begin in the middle of one.
    for (let done = 0, block = 0; done < event.data.length; block++) {
      const size = Math.min(BLOCK_SIZE - ((event.offset + done) % BLOCK_SIZE), event.data.length - done);
      if (keep(index, block)) disk.patch(event.offset + done, event.data.subarray(done, done + size));
      done += size;
    }
  }
}

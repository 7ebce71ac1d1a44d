/**
 * The newest frame, torn at every byte. What is promised of the medium is that it writes sectors whole (FORMAT.md), so a write that ends within one is outside of it: there the store may be refused, where no
 * sector is left that is as empty as before, and then it is left as it was. But what opens is the state before the commit or after it, and refusal or not is what an independent reader says of the page.
 */
import { afterAll, expect, test } from 'vitest';
import { CorruptionError } from '../../src/errors.js';
import { Life, type Step } from '../support/crash-life.js';
import { Workshop } from '../support/crash-examiner.js';
import { signatureOf } from '../support/crash-model.js';
import { FormatDamage, readFormat } from '../support/format-reader.js';
import { ImageDisk } from '../support/image-disk.js';
import { Random, seedOf } from '../support/random.js';
import { SECTOR_SIZE } from '../support/simulated-disk.js';

const HOLES = [1, 8, 60, SECTOR_SIZE];
/** Of so many tears, the independent reader looks at one: it takes its time. */
const READ_EVERY = 7;
const figures = { tears: 0, before: 0, after: 0, refused: 0, read: 0 };

const put = (name: 'a' | 'b' | 'c', value: unknown): Step => ({ type: 'commit', manner: 'single', writes: [{ name, value }], waits: false });
const pattern = (size: number): Uint8Array => new Uint8Array(size).map((_, index) => (index * 31) | 1);

/** What the newest frame holds: bytes, nothing, one bit, text, several keys, a delete. */
const COMMITS: readonly (readonly [string, Step])[] = [
  ['a small value', put('a', 'small')],
  ['a value over several sectors', put('b', pattern(1500))],
  ['a value of zeros', put('b', new Uint8Array(1500))],
  ['a value of one bit', put('b', Uint8Array.from({ length: 1200 }, (_, index) => (index === 700 ? 4 : 0)))],
  ['a batch', { type: 'commit', manner: 'batch', waits: false, writes: [{ name: 'a', value: pattern(300) }, { name: 'b', value: undefined }, { name: 'c', value: new Uint8Array(600) }] }],
  ['a delete', { type: 'commit', manner: 'single', waits: false, writes: [{ name: 'a', value: undefined }] }],
];

const shop = new Workshop();
const disk = new ImageDisk();

/** Opens an image: the state that it holds, or undefined where it is refused and left as it was. */
function stateOf(image: Uint8Array): string | undefined {
  disk.load(image);
  try {
    return shop.prober.look(shop.prober.open(disk, true), figures.tears).signature;
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    expect(disk.changes).toBe(0);
    return undefined;
  }
}

/** Whether FORMAT.md refuses an image. */
function isRefused(image: Uint8Array): boolean {
  figures.read++;
  try {
    readFormat(image);
    return false;
  } catch (error) {
    if (error instanceof FormatDamage) return true;
    throw error;
  }
}

for (const [name, step] of COMMITS) {
  test(`${name}, torn at every byte: as before, as after, or refused as FORMAT.md says (F-01, F-22)`, async () => {
    const life = new Life({}, shop.values, shop.clock, new Random(seedOf(1)));
    life.open();
    for (const beginning of [put('a', 'first'), put('b', pattern(100)), put('c', pattern(240))]) await life.take(beginning);
    const before = { image: life.disk.processImage(), signature: signatureOf(life.state, 0) };
    await life.take(step);
    const after = { image: life.disk.processImage(), signature: signatureOf(life.state, 0) };
    let [from, to] = [0, before.image.length];
    while (before.image[from] === after.image[from]) from++;
    while (before.image[to - 1] === after.image[to - 1]) to--;
    expect(Math.floor(from / 4096), 'the frame stands in one segment').toBe(Math.floor((to - 1) / 4096));

    const tear = (what: string, keeps: (offset: number) => boolean, isWhole: boolean): void => {
      figures.tears++;
      const image = before.image.slice();
      for (let offset = from; offset < to; offset++) if (keeps(offset)) image[offset] = after.image[offset]!;
      const signature = stateOf(image);
      if (signature === before.signature) figures.before++;
      else if (signature === after.signature) figures.after++;
      else if (signature === undefined) figures.refused++;
      else throw new Error(`${name}, ${what}: holds ${signature} instead of ${before.signature} or ${after.signature}`);
      if (isWhole) expect(signature, `${name}, ${what}: sectors are whole`).toBeDefined();
      if (isWhole || figures.tears % READ_EVERY === 0) expect(isRefused(image), `${name}, ${what}`).toBe(signature === undefined);
    };
    for (let cut = from; cut <= to; cut++) {
      const isWhole = cut % SECTOR_SIZE === 0;
      tear(`the bytes before ${cut}`, (offset) => offset < cut, isWhole);
      tear(`the bytes from ${cut} on`, (offset) => offset >= cut, isWhole);
      for (const size of HOLES) tear(`all but ${size} bytes at ${cut}`, (offset) => offset < cut || offset >= cut + size, isWhole && size === SECTOR_SIZE);
    }
  });
}

afterAll(() => {
  expect(Math.min(figures.before, figures.after, figures.refused)).toBeGreaterThan(0);
  process.stdout.write(`torn frames: ${figures.tears}, ${figures.before} as before the commit, ${figures.after} as after it, ${figures.refused} refused; ${figures.read} read by the independent reader, which agrees\n`);
});

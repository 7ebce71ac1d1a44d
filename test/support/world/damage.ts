/**
 * What time does to a file when its last life is over: bits rot, sectors are lost, come back as they were before, or stand where others should. The file is then refused, with no byte of it
 * changed, and can be salvaged; or it opens with an allowed state, exactly.
 */
import { SLOTS_OFFSET } from '../../../assembly/shared/format.js';
import { CorruptionError, FormatError, NotFoundError } from '../../../src/errors.js';
import type { Store } from '../../../src/store.js';
import type { Random } from '../random.js';
import { SECTOR_SIZE, SimulatedDisk, type OlderSector } from '../simulated-disk.js';
import { openStore } from '../stores.js';
import type { Medium } from './ends.js';
import { must } from './must.js';
import { checkSalvaged, countCommits, openCopy } from './opening.js';
import { intactHeaders, superblockOf } from './segments.js';
import type { World } from './world.js';

/** A file that was damaged. */
interface Damaged {
  readonly image: Uint8Array;
  readonly what: string;
  /** How many of the first commits must still be there if it opens: of some damage nothing durable tells, when it meets what was written last. */
  readonly floor: number;
}

interface Sample {
  readonly image: Uint8Array;
  /** How many commits it holds. */
  readonly count: number;
  readonly isClean: boolean;
  readonly older: ReadonlyMap<number, OlderSector>;
  readonly segmentSize: number;
}

type Maker = (sample: Sample, random: Random) => Damaged | undefined;

/** A byte of the file, rather one that is not zero. */
function drawOffset({ image }: Sample, random: Random): number {
  let offset = 0;
  for (let tries = 0; tries < 6; tries++) {
    offset = random.below(image.length);
    if (image[offset] !== 0) return offset;
  }
  return offset;
}

const drawSector = (sample: Sample, random: Random): number => Math.floor(drawOffset(sample, random) / SECTOR_SIZE);

/** The floor of damage that looks like something that was never written: where no orderly end says what was, any of the last commits may be gone with it. */
const floorOfLoss = ({ isClean, count }: Sample): number => (isClean ? count : 0);

function replaceSector(image: Uint8Array, sector: number, bytes: Uint8Array): void {
  image.set(bytes.subarray(0, Math.max(0, image.length - sector * SECTOR_SIZE)), sector * SECTOR_SIZE);
}

const flipBits: Maker = (sample, random) => {
  const image = sample.image.slice();
  const offsets = Array.from({ length: 1 + random.below(3) }, () => drawOffset(sample, random));
  for (const offset of offsets) image[offset]! ^= 1 << random.below(8);
  return { image, what: `bits of the bytes ${offsets.join(', ')} flipped`, floor: sample.count };
};

const garbleSector: Maker = (sample, random) => {
  const image = sample.image.slice();
  const sector = drawSector(sample, random);
  replaceSector(image, sector, random.bytes(SECTOR_SIZE));
  return { image, what: `sector ${sector} overwritten`, floor: sample.count };
};

const loseSector: Maker = (sample, random) => {
  const image = sample.image.slice();
  const sector = drawSector(sample, random);
  replaceSector(image, sector, new Uint8Array(SECTOR_SIZE));
  return { image, what: `sector ${sector} zeroed`, floor: floorOfLoss(sample) };
};

/** A flushed write that the medium has lost: the sector is as it was before. What was durable then is still told of by the rest. */
const ageSector: Maker = (sample, random) => {
  const sectors = [...sample.older.keys()].filter((sector) => sector * SECTOR_SIZE < sample.image.length);
  if (sectors.length === 0) return undefined;
  const sector = random.pick(sectors);
  const { bytes, mark } = sample.older.get(sector)!;
  const image = sample.image.slice();
  replaceSector(image, sector, bytes);
  return { image, what: `sector ${sector} as it was when ${mark} commits were durable`, floor: sample.isClean ? sample.count : Math.min(sample.count, mark) };
};

/** A write that went to another place: there is what does not belong, and here is what was before. */
const misdirectSector: Maker = (sample, random) => {
  const sector = drawSector(sample, random);
  const other = drawSector(sample, random);
  const image = sample.image.slice();
  replaceSector(image, other, sample.image.slice(sector * SECTOR_SIZE, (sector + 1) * SECTOR_SIZE));
  const before = sample.older.get(sector);
  if (before !== undefined && random.chance(0.5)) replaceSector(image, sector, before.bytes);
  return { image, what: `sector ${sector} written to ${other}`, floor: floorOfLoss(sample) };
};

function slotCount({ image, segmentSize }: Sample): number {
  return Math.floor((image.length - SLOTS_OFFSET) / segmentSize);
}

const copySlot: Maker = (sample, random) => {
  const { segmentSize } = sample;
  const image = sample.image.slice();
  const [from, to] = [random.below(slotCount(sample)), random.below(slotCount(sample))];
  image.copyWithin(SLOTS_OFFSET + to * segmentSize, SLOTS_OFFSET + from * segmentSize, SLOTS_OFFSET + (from + 1) * segmentSize);
  const isEmpty = image.subarray(SLOTS_OFFSET + to * segmentSize, SLOTS_OFFSET + (to + 1) * segmentSize).every((byte) => byte === 0);
  return { image, what: `slot ${to} overwritten with slot ${from}`, floor: isEmpty ? floorOfLoss(sample) : sample.count };
};

/** A slot of which the medium gives what stood in it before. */
const ageSlot: Maker = (sample, random) => {
  const slot = random.below(slotCount(sample));
  const first = (SLOTS_OFFSET + slot * sample.segmentSize) / SECTOR_SIZE;
  const image = sample.image.slice();
  let floor = sample.count;
  for (let sector = first; sector < first + sample.segmentSize / SECTOR_SIZE; sector++) {
    const older = sample.older.get(sector);
    if (older === undefined) continue;
    replaceSector(image, sector, older.bytes);
    floor = Math.min(floor, older.mark);
  }
  return { image, what: `slot ${slot} as it was before`, floor: sample.isClean ? sample.count : floor };
};

const cutFile: Maker = (sample, random) => {
  const size = random.below(sample.image.length);
  return { image: sample.image.slice(0, size), what: `cut to ${size} bytes`, floor: floorOfLoss(sample) };
};

/** Whether an error is what a file says that is not what it was. */
const isRefusal = (error: unknown, image: Uint8Array): boolean =>
  error instanceof CorruptionError || error instanceof FormatError || (error instanceof NotFoundError && image.length === 0);

const MAKERS: readonly Maker[] = [flipBits, flipBits, flipBits, garbleSector, loseSector, ageSector, ageSector, misdirectSector, copySlot, ageSlot, cutFile];

function salvage(world: World, { image, what }: Damaged, sample: Sample): void {
  // A segment is what says so itself, and which others there are. Where none does there is nothing to salvage.
  if (intactHeaders(image, superblockOf(sample.image)!).length === 0) {
    let error: unknown;
    try {
      openCopy(world, image, { salvage: true });
    } catch (thrown) {
      error = thrown;
    }
    must(isRefusal(error, image), () => `${what}: where nothing is intact salvage says ${String(error)}`);
    world.reach('nothing left to salvage');
    return;
  }
  const db = openCopy(world, image, { salvage: true });
  checkSalvaged(db, world.ledger, `${what}, salvaged`);
  must(db.recovery.lost.length > 0, () => `${what}: what was refused is salvaged without a loss`);
  world.reach('salvage with losses');
  void db.close();
}

function judge(world: World, damaged: Damaged, sample: Sample): void {
  const { image, what, floor } = damaged;
  const { figures, ledger } = world;
  figures.damaged++;
  figures.openings++;
  const disk = new SimulatedDisk(image);
  let db: Store;
  try {
    // With an image of the index, damage of what it spares reading is told by whoever reads it.
    db = openStore(disk, { create: false, ...(world.setup.history === undefined ? {} : { history: world.setup.history }) }, world.seed, false, () => world.time.now, { readsAll: true });
  } catch (error) {
    if (!isRefusal(error, image)) throw error;
    must(!disk.trace.some((operation) => operation !== 'read'), () => `${what}: refused, and changed`);
    figures.refused++;
    world.reach('damage refused');
    world.tell(() => `  refused: ${(error as Error).message}`);
    salvage(world, damaged, sample);
    return;
  }
  const count = countCommits(db, ledger, what);
  must(count >= floor && count <= sample.count, () => `${what}: opens with ${count} commits, and ${floor} to ${sample.count} of ${ledger.commits.length} are allowed`);
  world.reach(count < sample.count ? 'tail lost with a stale sector' : 'damage harmless');
}

/** Damages what the last life has left, in so many ways, each apart. */
export function decay(world: World, medium: Medium, ways: number, random: Random): void {
  if (!world.isMade) return;
  const { disk, isClean } = medium;
  const image = disk.processImage();
  // What it holds undamaged is what damage may not change.
  const count = countCommits(openCopy(world, image, { readOnly: true }), world.ledger, 'the last reader');
  must(count >= medium.floor, () => `the last reader finds ${count} commits, and ${medium.floor} were promised`);
  const sample: Sample = { image, count, isClean, older: disk.older!, segmentSize: world.setup.segmentSize };
  for (let way = 0; way < ways; way++) {
    const damaged = random.pick(MAKERS)(sample, random);
    if (damaged === undefined) continue;
    world.tell(() => `  ${damaged.what}`);
    judge(world, damaged, sample);
    world.note(damaged.floor);
  }
}

/** What can be done for a store that nobody has open: finding out whether it is sound, and saving what is left of one that is not. Neither ever changes the file that it looks at. */
import { checkOptionsOf } from './abort.js';
import type { Copied } from './copy.js';
import type { Recovery } from './durability/recover.js';
import { CorruptionError, type Damage } from './errors.js';
import { open, openWhole } from './open.js';
import type { OpenOptions } from './options.js';
import type { Store } from './store.js';

/** How much memory looking at a store may take, and the compiled core. */
export type RepairOptions = Pick<OpenOptions, 'memory' | 'module'>;

export interface VerifyReport {
  /** Whether nothing is damaged. A torn tail, which a crash leaves, is no damage: `recovery.dropped` tells of it. */
  readonly ok: boolean;
  /** What is damaged, and where. */
  readonly damage: readonly Damage[];
  /** How many keys can be read. */
  readonly keys: number;
  /** What opening the store found. */
  readonly recovery: Recovery;
}

export interface SalvageReport extends Copied {
  /** What is lost, and where: empty for a store that is sound. */
  readonly lost: readonly Damage[];
}

/** What is reported of a store of which no segment is intact. */
function reportOnNothing(damage: readonly Damage[], milliseconds: number): VerifyReport {
  const recovery: Recovery = { clean: false, created: false, frames: 0, records: 0, bytes: 0, dropped: undefined, rewritten: 0, lost: damage, milliseconds };
  return { ok: false, damage, keys: 0, recovery };
}

async function reportOn(store: Store, damage: readonly Damage[]): Promise<VerifyReport> {
  try {
    let found = damage;
    try {
      if (damage.length === 0) await store.verify();
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error;
      found = error.damage;
    }
    return { ok: found.length === 0, damage: found, keys: store.stats().keys, recovery: store.recovery };
  } finally {
    await store.close();
  }
}

/**
 * Checks the store at `path`: its superblocks, each segment, frame and record, and that they fit together. Resolves with a report also where there is damage, which then lists every damaged place
 * with its segment, its offset and size in bytes, what is wrong, and which commits it concerns. Reads the file and never writes to it. O(bytes of the file).
 * @throws (as a rejection) InvalidArgumentError, NotFoundError; FormatError for a file that is not varve's, or of which nothing can be made out; LockedError while it is open for writing; FullError, IoError,
 * PlatformError.
 */
export async function verify(path: string, options: RepairOptions = {}): Promise<VerifyReport> {
  checkOptionsOf('verify', options);
  const began = performance.now();
  let store: Store;
  try {
    store = await openWhole(path, { ...options, readOnly: true });
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    let salvaged: Store;
    try {
      salvaged = await open(path, { ...options, salvage: true });
    } catch (second) {
      if (!(second instanceof CorruptionError)) throw second;
      return reportOnNothing(second.damage, performance.now() - began);
    }
    // Salvage reads around damage, and may not need what a store that is opened must have.
    return reportOn(salvaged, salvaged.recovery.lost.length === 0 ? error.damage : salvaged.recovery.lost);
  }
  return reportOn(store, []);
}

/**
 * Reads all that is intact of the store at `path`, damaged or not, and writes it as a new store at `target`: keys of all keyspaces, with their values, expiry and versions; history is left
 * behind. Where the newest version of a key is lost, the one before it counts; `versions` of each loss says of which commits something is missing. Resolves when the new store is durable and
 * closed; until then there is nothing at `target`. Never writes to the file at `path`. O(bytes of the file).
 * @throws (as a rejection) InvalidArgumentError where there is something at `target`; NotFoundError; CorruptionError where no segment is intact, which is all that there is to read; FormatError where
 * nothing can be made out; LockedError while it is open for writing; ReadOnlyError, FullError, IoError, PlatformError: nothing then stands at `target`.
 */
export async function salvage(path: string, target: string, options: RepairOptions = {}): Promise<SalvageReport> {
  checkOptionsOf('salvage', options);
  const source = await open(path, { ...options, salvage: true });
  try {
    return { ...await source.copyTo(target), lost: source.recovery.lost };
  } finally {
    await source.close();
  }
}

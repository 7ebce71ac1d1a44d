/** Records on their way into a store: a batch of them is put as one commit, as they were stored, or not at all. */
import { RECORD_EXPIRY_SIZE, RECORD_FLAG_EXPIRY } from '../../assembly/shared/format.js';
import { stageEncoded } from '../engine/staging.js';
import type { Kernel } from '../kernel.js';
import type { Version } from '../reader.js';
import type { ExchangeRecord } from './record.js';

/** What happens to a key that exists already. */
export const EXISTING = ['overwrite', 'skip', 'fail'] as const;
export type Existing = (typeof EXISTING)[number];

/** What became of a batch. */
export interface Applied {
  /** How many of its records were put. */
  readonly written: number;
  /** The version of the commit, 0 where nothing was written. */
  readonly version: Version;
  /** The place of the record whose key exists, where that ends the import: nothing of the batch was applied then. */
  readonly clash: number | undefined;
}

/** A batch of records, and what is to be done with it. */
interface Choice {
  readonly chosen: readonly ExchangeRecord[];
  readonly clash: number | undefined;
}

function choose(kernel: Kernel, records: readonly ExchangeRecord[], existing: Existing): Choice {
  if (existing === 'overwrite') return { chosen: records, clash: undefined };
  const { engine } = kernel;
  engine.tick();
  const seen = new Set<string>();
  const chosen: ExchangeRecord[] = [];
  for (const [index, record] of records.entries()) {
    const { keyBytes } = record;
    const name = String.fromCharCode(...keyBytes.subarray(0, 4096)) + (keyBytes.length > 4096 ? keyBytes.join() : '');
    if (!seen.has(name) && engine.versionOfBytes(keyBytes) === 0) {
      seen.add(name);
      chosen.push(record);
    } else if (existing === 'fail') return { chosen: [], clash: index };
  }
  return { chosen, clash: undefined };
}

function stageRecord({ engine }: Kernel, { keyBytes, bytes, kind, expiry }: ExchangeRecord): void {
  const isLasting = expiry === undefined;
  stageEncoded(engine, { keyBytes, bytes, flags: isLasting ? kind : kind | RECORD_FLAG_EXPIRY, expiry, size: keyBytes.length + bytes.length + (isLasting ? 0 : RECORD_EXPIRY_SIZE) });
}

/** Applies a batch. Resolves when it is as durable as a put. Rejects as `batch` does: nothing of it was applied then, or the store has stopped. */
export async function applyRecords(kernel: Kernel, records: readonly ExchangeRecord[], existing: Existing): Promise<Applied> {
  kernel.checkWritable();
  const { engine } = kernel;
  const { chosen, clash } = kernel.guard(() => choose(kernel, records, existing));
  const version = chosen.length === 0 ? 0 : kernel.guard(() => engine.inBatch(() => {
    for (const record of chosen) stageRecord(kernel, record);
  }));
  await kernel.acknowledge(version);
  return { written: chosen.length, version, clash };
}

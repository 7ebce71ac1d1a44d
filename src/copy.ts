/** Copying the keys of one store into another, as they are stored: no value is decoded. */
import { RECORD_EXPIRY_SIZE, RECORD_FLAG_EXPIRY } from '../assembly/shared/format.js';
import type { EncodedRecord } from './engine/encode.js';
import type { EngineScan } from './engine/scan.js';
import { stageEncoded } from './engine/staging.js';
import type { Kernel } from './kernel.js';

/** What goes into one commit: enough that a commit costs little, and not so much that others wait for it. */
const COMMIT_SIZE = 1 << 20;
const COMMIT_COUNT = 1000;
const EVERYTHING = { from: Uint8Array.of(0), to: Uint8Array.of(0xff), isReverse: false, limit: Infinity };

export interface Copied {
  /** Keys that were copied, those of keyspaces too. */
  readonly keys: number;
  /** Bytes of encoded keys and values. */
  readonly bytes: number;
}

function takeRecord(scan: EngineScan): EncodedRecord {
  const keyBytes = scan.keyBytes;
  const { bytes, kind } = scan.stored;
  const expiry = scan.expiryOf(keyBytes);
  const isLasting = expiry === 0;
  return {
    keyBytes, bytes, flags: isLasting ? kind : kind | RECORD_FLAG_EXPIRY, expiry: isLasting ? undefined : expiry, size: keyBytes.length + bytes.length + (isLasting ? 0 : RECORD_EXPIRY_SIZE),
  };
}

/** Copies what a store holds now, in the order of the keys, in many commits. Resolves when all of them are acknowledged. O(bytes). */
export async function copyKeys(from: Kernel, to: Kernel): Promise<Copied> {
  const open = from.holds.scan(from, EVERYTHING, true, {}, undefined);
  let keys = 0;
  let bytes = 0;
  try {
    for (let hasMore = true; hasMore;) {
      const records: EncodedRecord[] = [];
      for (let size = 0; size < COMMIT_SIZE && records.length < COMMIT_COUNT;) {
        hasMore = open.scan.next();
        if (!hasMore) break;
        const record = takeRecord(open.scan);
        records.push(record);
        size += record.size;
        bytes += record.keyBytes.length + record.bytes.length;
      }
      keys += records.length;
      await to.acknowledge(to.engine.inBatch(() => {
        for (const record of records) stageEncoded(to.engine, record);
      }));
    }
  } finally {
    open.close();
  }
  return { keys, bytes };
}

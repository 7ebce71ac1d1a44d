/** The versions of a key, newest first: each record names the one before it. A link into a segment that was given up ends the chain. */
import { hasMovedTime, linkOf } from '../log/record';
import { resolve } from '../log/segment';
import { requiresRecord } from '../verify/contract';

/** The address of the version before a record, or 0 where none is kept. */
export function previousOf(record: usize): u64 {
  requiresRecord(record);
  if (hasMovedTime(record)) return 0;
  const address = linkOf(record);
  return address != 0 && resolve(address) != 0 ? address : 0;
}

/** The old versions that recovery has met, where a history is kept. The log has some that were given up before it was closed: they are as good as those that were not, if they are whole. */
import { hashKey } from '../hash/keyhash';
import { flagsOf, keyOf, keySizeOf, partCountOf, sizeOf } from '../log/record';
import { resolve } from '../log/segment';
import { RECORD_FLAG_LARGE } from '../shared/format';
import { retainParts, subtractRecord } from '../space/live';
import { reserveParts } from '../space/parts';
import { trimKey } from '../versions/history';
import { OldCursor, countOf, hashOf, nextList, oldAddressAt, oldVersionAt, removeOld } from '../versions/old';
import { isWhole } from './link';
import { requiresAddress } from '../verify/contract';

function isLarge(address: u64): bool {
  requiresAddress(address);
  return (flagsOf(resolve(address)) & RECORD_FLAG_LARGE) != 0;
}

/** Forgets versions whose parts were given up. What is taken out of the table moves others up, so the same place is looked at again. */
function dropBroken(): void {
  for (let list = nextList(0); list != 0; list = nextList(OldCursor.position)) {
    for (let index = countOf(list); index != 0; index--) {
      const address = oldAddressAt(list, index - 1);
      if (!isLarge(address) || isWhole(resolve(address))) continue;
      subtractRecord(address, sizeOf(resolve(address)));
      removeOld(hashOf(list), oldVersionAt(list, index - 1));
      OldCursor.position--;
      break;
    }
  }
}

/** Counts the parts of the old versions that are whole, forgets those that are not, and lets the history go no further than its limits. False where memory is at its limit. */
export function settleHistory(): bool {
  dropBroken();
  for (let list = nextList(0); list != 0; list = nextList(OldCursor.position)) {
    for (let index: u32 = 0; index < countOf(list); index++) {
      const address = oldAddressAt(list, index);
      if (!isLarge(address)) continue;
      if (!reserveParts(partCountOf(resolve(address)))) return false;
      retainParts(resolve(address), address);
    }
  }
  for (let list = nextList(0); list != 0; list = nextList(OldCursor.position)) {
    const record = resolve(oldAddressAt(list, 0));
    const size = keySizeOf(record);
    trimKey(keyOf(record), size, hashKey(keyOf(record), size));
  }
  return true;
}

/** Lookups that go by the hash of a key alone: for the ordered index, which names keys so, and for those who look many keys up at once. None of them touches `Index.slot`. */
import { FIELD_MASK, resolve } from '../log/segment';
import { DEPTH_MASK, PAGE_SIZE, SLOT_MASK, TAG_SHIFT, entryFor, hashOfRecord, tagFor } from './directory';
import { requires, requiresAddress, requiresBlock } from '../verify/contract';

/** The bit of a hash that no page, home or tag is made of. Who names a key by its hash may use it as a mark. */
export const SPARE_HASH_BIT: u64 = 1 << 16;

function pageFor(hash: u64): usize {
  return <usize>load<u32>(entryFor(hash)) & ~(PAGE_SIZE - 1);
}

function slotIn(page: usize, position: u32): u64 {
  requires((page & (PAGE_SIZE - 1)) == 0 && position <= SLOT_MASK);
  requiresBlock(page, PAGE_SIZE);
  return load<u64>(page + (<usize>position << 3));
}

/** The address in the next slot that a key with this hash may be in: from `position` of its page on, which is left behind that slot in `Tagged`. 0 where there is none. */
function nextTagged(hash: u64, position: u32): u64 {
  requires(position <= SLOT_MASK);
  const entry = load<u32>(entryFor(hash));
  const page = <usize>entry & ~(PAGE_SIZE - 1);
  const tag = tagFor(hash, entry & DEPTH_MASK);
  for (let slot = slotIn(page, position); slot != 0; slot = slotIn(page, position)) {
    position = (position + 1) & SLOT_MASK;
    if (slot >> TAG_SHIFT == tag && (slot & FIELD_MASK) != 0) {
      Tagged.position = position;
      return slot & FIELD_MASK;
    }
  }
  return 0;
}

class Tagged {
  static position: u32 = 0;
}

function firstTagged(hash: u64): u64 {
  return nextTagged(hash, <u32>hash & SLOT_MASK);
}

function isOf(hash: u64, address: u64): bool {
  requiresAddress(address);
  return ((hashOfRecord(address) ^ hash) & ~SPARE_HASH_BIT) == 0;
}

/** The newest record of a key whose hash is `hash`, but for its spare bit, or 0. */
export function findHash(hash: u64): usize {
  for (let address = firstTagged(hash); address != 0; address = nextTagged(hash, Tagged.position)) {
    if (isOf(hash, address)) return resolve(address);
  }
  return 0;
}

/** The record of the first slot that a key with this hash may be in: nearly always the one that `findHash` finds. It is not looked at; 0 where there is none. */
export function guessRecord(hash: u64): usize {
  const address = firstTagged(hash);
  return address == 0 ? 0 : resolve(address);
}

/** Whether more than one key has a hash that one has. Looks at records only where tags agree. */
export function isShared(hash: u64): bool {
  const first = firstTagged(hash);
  if (first == 0 || nextTagged(hash, Tagged.position) == 0) return false;
  let count: u32 = 0;
  for (let address = firstTagged(hash); address != 0; address = nextTagged(hash, Tagged.position)) count += <u32>isOf(hash, address);
  return count > 1;
}

/**
 * Whether the record at an address is the newest of its key, whose hash is `hash`: 0 no, 1 yes, 2 yes and another key may have the same hash, which `isShared` tells. Looks at no record.
 */
export function standing(hash: u64, address: u64): u32 {
  requiresAddress(address);
  const entry = load<u32>(entryFor(hash));
  const page = <usize>entry & ~(PAGE_SIZE - 1);
  const tag = tagFor(hash, entry & DEPTH_MASK);
  let found: u32 = 0;
  let tagged: u32 = 0;
  let position = <u32>hash & SLOT_MASK;
  for (let slot = slotIn(page, position); slot != 0; slot = slotIn(page, position)) {
    found |= <u32>((slot & FIELD_MASK) == address);
    tagged += <u32>(slot >> TAG_SHIFT == tag);
    position = (position + 1) & SLOT_MASK;
  }
  return found << <u32>(tagged > 1);
}

/** Points the slot that names a record at another address: its key is at a new place. */
export function repoint(hash: u64, from: u64, to: u64): void {
  requiresAddress(from);
  requiresAddress(to);
  const page = pageFor(hash);
  let position = <u32>hash & SLOT_MASK;
  while ((slotIn(page, position) & FIELD_MASK) != from) {
    assert(slotIn(page, position) != 0);
    position = (position + 1) & SLOT_MASK;
  }
  const at = page + (<usize>position << 3);
  store<u64>(at, (load<u64>(at) & ~FIELD_MASK) | to);
}

/** Reads the home slot of a hash, so that it is in the cache when it is needed. */
export function touch(hash: u64): u64 {
  return slotIn(pageFor(hash), <u32>hash & SLOT_MASK);
}

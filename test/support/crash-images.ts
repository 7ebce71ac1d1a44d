/** What a power loss may leave of a simulated disk. */
import { Random } from './random.js';
import type { SimulatedDisk } from './simulated-disk.js';

/** Of what was not flushed: none, all, prefixes, all but one, single changes and random subsets. */
export function images(disk: SimulatedDisk, random: Random): Uint8Array[] {
  const count = disk.pendingCount;
  const found = [disk.image(() => false)];
  if (count === 0) return found;
  found.push(disk.image(() => true));
  const some = (bound: number): number[] => (count <= bound ? Array.from({ length: count }, (_, index) => index) : Array.from({ length: bound }, () => random.below(count)));
  for (const cut of some(12)) found.push(disk.image((index) => index < cut));
  for (const left of some(8)) found.push(disk.image((index) => index !== left));
  for (const only of some(8)) found.push(disk.image((index) => index === only));
  for (let draw = 0; draw < 6; draw++) {
    const subset = new Random(random.next());
    const chosen = Array.from({ length: count }, () => subset.chance(0.5));
    found.push(disk.image((index) => chosen[index]!));
  }
  return found;
}

/**
 * Numbers that follow Zipf's law, as YCSB draws them: after Gray, Sundaresan, Englert, Baclawski and Weinberger, "Quickly generating billion-record synthetic databases" (1994). The number of rank r
 * is drawn in proportion to 1 ÷ (r + 1)^θ, and for most workloads ranks are scattered over the keys, so that the popular ones are not neighbours.
 */

export const THETA = 0.99;
const UINT32 = 2 ** 32;

/**
 * Draws ranks below `count`, 0 the most popular.
 * @param {number} count
 * @param {{ next(): number }} random
 */
export function createZipfian(count, random, theta = THETA) {
  let zeta = 0;
  for (let rank = 1; rank <= count; rank++) zeta += 1 / rank ** theta;
  const zetaOfTwo = 1 + 0.5 ** theta;
  const alpha = 1 / (1 - theta);
  const eta = (1 - (2 / count) ** (1 - theta)) / (1 - zetaOfTwo / zeta);
  return () => {
    const uniform = random.next() / UINT32;
    const scaled = uniform * zeta;
    if (scaled < 1) return 0;
    if (scaled < zetaOfTwo) return Math.min(1, count - 1);
    return Math.min(count - 1, Math.floor(count * (eta * uniform - eta + 1) ** alpha));
  };
}

/** A rank scattered over the keys: 64 bits of FNV-1a are YCSB's way, 32 multiplied bits do the same here. @param {number} rank @param {number} count */
export function scatter(rank, count) {
  let bits = Math.imul(rank ^ 0x811c9dc5, 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return ((bits ^ (bits >>> 15)) >>> 0) % count;
}

/** What is said of samples: medians, quantiles and spreads. */

/**
 * The value below which a share of the sorted samples lies.
 * @param {number[]} samples
 * @param {number} share
 */
export function quantile(samples, share) {
  const sorted = [...samples].sort((left, right) => left - right);
  const position = (sorted.length - 1) * share;
  const low = sorted[Math.floor(position)];
  const high = sorted[Math.ceil(position)];
  return low + (high - low) * (position - Math.floor(position));
}

/** Half the distance between the quartiles, as a share of the median. @param {number[]} samples */
export function spreadOf(samples) {
  return (quantile(samples, 0.75) - quantile(samples, 0.25)) / 2 / median(samples);
}

/** @param {number[]} samples */
export function median(samples) {
  return quantile(samples, 0.5);
}

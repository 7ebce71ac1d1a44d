/** What the page that shows the store uses of the benchmark. */

/** What is known of one subject in one row after another sample. */
export interface Sample {
  readonly row: string;
  /** What the row times, in words. */
  readonly what: string;
  readonly subject: string;
  /** Operations a second, the median of the samples so far. */
  readonly rate: number;
}

/** Runs all groups. Resolves when they are done. Rejects with the reason of the signal, and with whatever a result that is wrong is an error of. */
export function race(onSample: (sample: Sample) => void, signal: AbortSignal): Promise<void>;

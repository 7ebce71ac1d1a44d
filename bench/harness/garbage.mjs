/** Collecting garbage on demand, which each runtime does in a way of its own. */

/** V8 as Node and Deno have it: the function is there once a flag is set, in a new context. */
async function collectorOfV8() {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  // Collecting often lets the engine throw away code that has not run for a while; a row whose turn comes seldom would then be compiled anew in its own time.
  setFlagsFromString('--no-flush-bytecode');
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc');
}

const bun = /** @type {{ Bun?: { gc(isSynchronous: boolean): void } }} */ (globalThis).Bun;

/** Collects all garbage, so that no sample pays for what an earlier one, or its own preparation, left behind. @type {() => void} */
export const collectGarbage = bun === undefined ? await collectorOfV8() : () => bun.gc(true);

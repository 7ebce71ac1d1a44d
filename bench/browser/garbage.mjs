/** `bench/harness/garbage.mjs` for browsers, in whose bundles it takes that place: Chromium collects when it is asked, where it was started with the flag `--expose-gc` of its engine. */

const collect = /** @type {{ gc?: () => void }} */ (globalThis).gc;

/** Collects all garbage, where the browser can be asked to. */
export const collectGarbage = () => collect?.();

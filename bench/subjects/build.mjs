/**
 * The build of the store that is measured: by the name of the package, which resolves to the bundle in `dist`, or the one that VARVE_BENCH_BUILD names, so that two builds can be held against each other by one benchmark.
 * Browsers have `bench/browser/build.mjs` in its place.
 */
export const { open, ConflictError } = await import(process.env.VARVE_BENCH_BUILD ?? 'varve');

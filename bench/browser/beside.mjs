/** `bench/floors/beside.mjs` for browsers, in whose bundles it takes that place: what stands beside a row is left out where rivals stand there, and these floors are calls of Node. */

export const floorBeside = async () => ({ beside: {}, close: () => undefined });

export const readingBeside = () => ({});

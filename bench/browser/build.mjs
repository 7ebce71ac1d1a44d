/** `bench/subjects/build.mjs` for browsers, in whose bundles it takes that place: the store itself, in a worker that has its files alone. */
export { ConflictError, open } from 'varve/direct';

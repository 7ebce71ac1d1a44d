/** The store as it is shipped: `dist/index.js`, not its sources. */
type Library = typeof import('../../src/index.js');

/** Loads the built library. */
export function loadLibrary(): Promise<Library> {
  return import(new URL('../../dist/index.js', import.meta.url).href) as Promise<Library>;
}

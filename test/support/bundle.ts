/** Parts of the library as one file each, for child processes and worker threads, which know no TypeScript. */
import { buildSync } from 'esbuild';

/** Writes an ES module to `path` that exports everything that the entries, given relative to the project's root, export. */
export function bundle(path: string, ...entries: readonly string[]): void {
  const root = new URL('../../', import.meta.url).pathname;
  buildSync({
    stdin: { contents: entries.map((entry) => `export * from './${entry}';`).join('\n'), resolveDir: root, loader: 'ts' },
    outfile: path,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
}

/** Where the instructions of the shipped core come from: the compiler writes a map when it is asked for one, and the same bytes otherwise. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A place in the sources of the core. */
export interface Place {
  /** From the root of the project. */
  readonly file: string;
  /** From one on. */
  readonly line: number;
  readonly column: number;
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Compiles the core with a map. Returns what finds the source of an instruction by its offset in the module. Throws where the bytes are not those of `shipped`. */
export function mapCore(shipped: Uint8Array): (offset: number) => Place | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'varve-map-'));
  try {
    const output = join(folder, 'varve.wasm');
    const { status, stderr } = spawnSync(process.execPath, [
      join(root, 'node_modules/assemblyscript/bin/asc.js'), 'assembly/index.ts', '--target', 'release', '--transform', './assembly/verify/without-contracts.mjs', '--sourceMap', '--outFile', output,
    ], { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
    // Behind the module stands the name of its map.
    if (Buffer.compare(readFileSync(output).subarray(0, shipped.length), shipped) !== 0) throw new Error('with a map the core has other bytes than the one that is shipped');
    const map = new SourceMap(JSON.parse(readFileSync(`${output}.map`, 'utf8')) as SourceMapPayload);
    return (offset) => {
      const entry = map.findEntry(0, offset);
      // What stands for no line of a source has none.
      if (!('originalSource' in entry) || (entry.originalSource as string | undefined)?.startsWith('assembly/') !== true) return undefined;
      return { file: entry.originalSource, line: entry.originalLine + 1, column: entry.originalColumn };
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

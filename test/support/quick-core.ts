/** The core, compiled for tests of the tests: in this process, which keeps the compiler warm, and optimized only as far as tests notice. A compilation takes two seconds, and not ten. */
import { join } from 'node:path';
import { main } from 'assemblyscript/asc';

const FORMS: readonly (readonly string[])[] = [
  ['assembly/index.ts', '--target', 'release', '--transform', './assembly/verify/without-contracts.mjs'],
  ['assembly/index.ts', 'test/assembly/inside.ts', '--target', 'debug'],
];

/** The options of the compiler, with those changed that take the time. */
export function quickOptions(text: string): string {
  const options = JSON.parse(text) as { targets: { release: object } };
  Object.assign(options.targets.release, { optimizeLevel: 1, converge: false });
  return JSON.stringify(options, undefined, 2);
}

/** Compiles both forms of the core of a copy of the project. Returns what went wrong, or undefined. */
export async function compileCore(root: string): Promise<string | undefined> {
  for (const form of FORMS) {
    const { error, stderr } = await main([...form, '--baseDir', root, '--config', join(root, 'asconfig.json')]);
    if (error !== null) return `${error.message}\n${stderr.toString()}`;
  }
  return undefined;
}

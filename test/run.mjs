/**
 * The long forms of the tests, and what measures the tests themselves: `node test/run.mjs <tool> [options]` bundles `test/tools/<tool>.ts` and runs it. Builds what is missing first.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const [tool = '', ...options] = process.argv.slice(2);
const tools = readdirSync(join(root, 'test/tools')).flatMap((name) => (name.endsWith('.ts') ? [name.slice(0, -3)] : []));
if (!tools.includes(tool)) {
  process.stderr.write(`node test/run.mjs <tool> [options], where the tool is one of ${tools.join(', ')}.\n`);
  process.exit(2);
}
process.chdir(root);
const built = spawnSync(process.execPath, ['build.mjs'], { stdio: ['ignore', 'inherit', 'inherit'] });
if (built.status !== 0 || !existsSync('build/varve.wasm')) process.exit(1);

const { build } = await import('esbuild');
const outfile = join(root, 'build/tools', `${tool}.mjs`);
await build({
  entryPoints: [`test/tools/${tool}.ts`],
  outfile,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  packages: 'external',
  sourcemap: 'inline',
  // Sources find the project's files from their own place, so what is bundled keeps the address of the folder that it came from.
  define: { 'import.meta.url': JSON.stringify(pathToFileURL(join(root, 'test/tools', `${tool}.ts`)).href) },
  logLevel: 'warning',
});
process.argv = [process.execPath, outfile, ...options];
process.setSourceMapsEnabled(true);
await import(pathToFileURL(outfile).href);

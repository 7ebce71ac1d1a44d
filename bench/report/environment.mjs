/** Where and with what a run was made: everything that a figure means nothing without. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** @param {string[]} parameters */
function git(parameters) {
  const result = spawnSync('git', parameters, { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** @param {import('../harness/context.mjs').Settings} settings */
export function describeEnvironment(settings) {
  const changed = git(['status', '--porcelain', '--untracked-files=no']);
  return {
    date: new Date().toISOString(),
    machine: `${os.cpus()[0]?.model ?? 'unknown'}, ${os.cpus().length} processors, ${(os.totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `${os.platform()} ${os.release()} ${os.arch()}`,
    runtime: `Node ${process.versions.node}, V8 ${process.versions.v8}`,
    commit: `${git(['rev-parse', '--short', 'HEAD']) ?? 'unknown'}${changed ? ' with changes' : ''}`,
    wasm: `${statSync(fileURLToPath(new URL('../../dist/varve.wasm', import.meta.url))).size} bytes`,
    load: os.loadavg().map((load) => load.toFixed(2)).join(' '),
    seed: settings.seed,
    sizes: settings.smoke ? 'smoke' : settings.keysMax === Infinity ? 'full' : `at most ${settings.keysMax} keys`,
  };
}

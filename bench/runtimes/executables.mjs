/** The runtimes that programs are run in beside each other: the Node that runs this one, and those of the package beside this file. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./', import.meta.url));
const inside = (/** @type {string} */ path) => `${folder}node_modules/.bin/${path}`;

/** Installs what the package in a folder depends on, if it is not there yet. @param {string} where */
export function install(where) {
  if (existsSync(`${where}node_modules/.package-lock.json`)) return;
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: where, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
  if (result.status !== 0) throw new Error(`What ${where}package.json names could not be installed, so nothing was run.`);
}

/** @typedef {{ name: string, command: string[] }} Runtime */

/** @param {string[]} command */
function versionOf(command) {
  const result = spawnSync(command[0], ['--version'], { encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`${command[0]} does not run: ${result.error?.message ?? result.stderr}`);
  return result.stdout.split('\n', 1)[0].replace(/^v|^deno /, '').split(' ', 1)[0];
}

/** The Node that runs this program. @returns {Runtime} */
export function thisRuntime() {
  return { name: `Node ${process.versions.node.split('.', 1)[0]}`, command: [process.execPath] };
}

/** All runtimes, installed if they are not there yet. @returns {(Runtime & { version: string })[]} */
export function installedRuntimes() {
  install(folder);
  /** @type {Runtime[]} */
  const others = [
    { name: 'Node 24', command: [inside('node')] },
    { name: 'Bun', command: [inside('bun')] },
    { name: 'Deno', command: [inside('deno'), 'run', '--allow-all', '--no-config', '--node-modules-dir=manual'] },
  ];
  return [thisRuntime(), ...others].map((runtime) => ({ ...runtime, version: versionOf(runtime.command) }));
}

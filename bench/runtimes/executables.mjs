/** The runtimes that programs are run in beside each other: the Node that runs this one, and those of the package beside this file. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('./', import.meta.url));
const inside = (/** @type {string} */ path) => `${folder}node_modules/.bin/${path}`;

/** In milliseconds: how long another process may install, and how often it is looked for. */
const INSTALLING_MAX = 300_000;
const LOOK_INTERVAL = 200;

/** Whether this process is the one that installs: the folder is made by one alone. @param {string} folder */
function isFirst(folder) {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** Installs what the package in a folder depends on, if it is not there yet. Where another process does so, waits for it. @param {string} where */
export function install(where) {
  const installing = `${where}.installing`;
  const isThere = () => existsSync(`${where}node_modules/.package-lock.json`);
  for (const end = Date.now() + INSTALLING_MAX; ;) {
    if (isThere() && !existsSync(installing)) return;
    if (isFirst(installing)) break;
    if (Date.now() > end) throw new Error(`Another process seems to install what ${where}package.json names. Remove ${installing} if there is none.`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_INTERVAL);
  }
  try {
    // Another may have come to its end since this one looked.
    if (isThere()) return;
    const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel', 'error'], { cwd: where, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' });
    if (result.status !== 0) throw new Error(`What ${where}package.json names could not be installed, so nothing was run.`);
  } finally {
    rmSync(installing, { recursive: true });
  }
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

/** Those of the package. @type {Runtime[]} */
const OTHERS = [
  { name: 'Node 24', command: [inside('node')] },
  { name: 'Bun', command: [inside('bun')] },
  { name: 'Deno', command: [inside('deno'), 'run', '--allow-all', '--no-config', '--node-modules-dir=manual'] },
];

export const runtimeNames = [thisRuntime().name, ...OTHERS.map(({ name }) => name)];

/** Runtimes, those of the package installed if one of them is asked for and they are not there yet. @param {string[]} names @returns {(Runtime & { version: string })[]} */
export function installedRuntimes(names = runtimeNames) {
  const others = OTHERS.filter(({ name }) => names.includes(name));
  if (others.length > 0) install(folder);
  return [...(names.includes(runtimeNames[0]) ? [thisRuntime()] : []), ...others].map((runtime) => ({ ...runtime, version: versionOf(runtime.command) }));
}

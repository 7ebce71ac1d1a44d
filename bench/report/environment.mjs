/** Where and with what a run was made: everything that a figure means nothing without. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync, statfsSync } from 'node:fs';
import os from 'node:os';
import { fileURLToPath } from 'node:url';
import { wordsOfSize } from '../harness/context.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** @param {string[]} parameters */
function git(parameters) {
  const result = spawnSync('git', parameters, { cwd: root, encoding: 'utf8' });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Says which code is measured, whatever the sources have become since it was built. */
export function hashOfBuild() {
  return createHash('sha256').update(readFileSync(fileURLToPath(new URL('../../dist/index.js', import.meta.url)))).digest('hex').slice(0, 12);
}

/** What the processors have done since the machine started, or undefined where the system does not say. */
export function processorTicks() {
  try {
    const ticks = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0].trim().split(/\s+/).slice(1, 9).map(Number);
    return { stolen: ticks[7], all: ticks.reduce((sum, tick) => sum + tick, 0) };
  } catch {
    return undefined;
  }
}

/** The share of the time since then that a virtual machine's host gave to others. @param {ReturnType<typeof processorTicks>} since */
export function stealShare(since) {
  const now = processorTicks();
  return since === undefined || now === undefined ? undefined : (now.stolen - since.stolen) / Math.max(1, now.all - since.all);
}

/** File systems by the number that Linux gives them. */
const FILE_SYSTEMS = new Map([
  [0xef53, 'ext4'], [0x58465342, 'xfs'], [0x9123683e, 'btrfs'], [0x2fc12fc1, 'zfs'], [0x794c7630, 'overlayfs'], [0x01021994, 'tmpfs: a flush costs nothing there'],
]);

/** What the files of a run lie on: durable figures are figures of that. @param {string} folder */
function fileSystemOf(folder) {
  const { type } = statfsSync(folder);
  return FILE_SYSTEMS.get(type) ?? `file system 0x${type.toString(16)}`;
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
    build: hashOfBuild(),
    files: `${settings.folder} (${fileSystemOf(settings.folder)})`,
    load: os.loadavg().map((load) => load.toFixed(2)).join(' '),
    seed: settings.seed,
    sizes: wordsOfSize(settings),
  };
}

/** The machine that the cuts happen on: its commands, and what it must have. */
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onEnd } from './ending.js';

export const FILE_SYSTEMS = ['ext4', 'xfs', 'btrfs'] as const;
export type FileSystemName = (typeof FILE_SYSTEMS)[number];

/** Each file system has a least size, and that of XFS is the largest. Images are sparse. */
export const IMAGE_SIZE = 320 << 20;

/** Where what a person should look at is kept. */
export const KEPT = 'build/torture';

const MAKE: Record<FileSystemName, readonly string[]> = {
  ext4: ['mkfs.ext4', '-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0,lazy_journal_init=0'],
  xfs: ['mkfs.xfs', '-q', '-f'],
  btrfs: ['mkfs.btrfs', '-q', '-f'],
};

/** Runs a command to its end; rejects with what it complained of. Asynchronous, because what it waits for may be a disk that this process serves. */
export function run(command: string, ...parameters: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, parameters, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.trim());
      else reject(new Error(`${command} ${parameters.join(' ')}: ${stderr.trim() || error.message}`));
    });
  });
}

/** Makes a file system on a file or device. */
export async function makeFileSystem(name: FileSystemName, path: string): Promise<void> {
  const [command, ...parameters] = MAKE[name];
  await run(command!, ...parameters, path);
}

const hasCommand = (name: string): boolean => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;

/** Whether the processor has AMX. */
export const hasTiles = (): boolean => / amx_tile\b/.test(readFileSync('/proc/cpuinfo', 'utf8'));

/** What this machine lacks for a part, in words for a person. */
export function missing(part: 'uml' | 'block', fileSystems: readonly FileSystemName[]): string[] {
  const lacks: string[] = [];
  const need = (command: string, packageName: string): void => {
    if (!hasCommand(command)) lacks.push(`${command} (Debian package ${packageName})`);
  };
  if (process.platform !== 'linux') return ['Linux'];
  need('mkfs.ext4', 'e2fsprogs');
  if (fileSystems.includes('xfs')) need('mkfs.xfs', 'xfsprogs');
  if (fileSystems.includes('btrfs')) need('mkfs.btrfs', 'btrfs-progs');
  if (part === 'uml') {
    need('linux.uml', 'user-mode-linux');
    if (hasTiles()) need('cc', 'gcc, and libc6-dev');
    return lacks;
  }
  need('nbdfuse', 'libnbd-bin');
  need('fusermount3', 'fuse3');
  need('losetup', 'mount');
  if (process.getuid?.() !== 0) lacks.push('the rights of root, to mount');
  if (!existsSync('/dev/fuse')) lacks.push('/dev/fuse');
  if (!existsSync('/dev/loop-control')) lacks.push('/dev/loop-control');
  const known = readFileSync('/proc/filesystems', 'utf8').split(/\s+/);
  for (const name of fileSystems) if (!known.includes(name)) lacks.push(`a kernel with ${name}`);
  return lacks;
}

/** A folder that is gone when the run has ended. In memory, if wished, and where there is a place for that: the power is cut of a guest or of a disk that is served, not of this machine. */
export function makeFolder(isInMemory: boolean): string {
  const folder = mkdtempSync(join(isInMemory && existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'varve-torture-'));
  onEnd(folder, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A disk in memory as a block device of this machine: served by NBD, shown as a file by nbdfuse, made a device by the loop driver, and mounted. What it shows can be changed while it is not mounted. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Disk } from './disk.js';
import { onEnd } from './ending.js';
import { makeFileSystem, makeFolder, run, type FileSystemName } from './host.js';
import { serve } from './nbd.js';

const WAIT_MAX = 10_000;
const COMPLAINT_MAX = 2000;
const DETACH_TRIES = 20;
const DETACH_PAUSE = 100;
/** XFS refuses to mount two file systems of one identity, and every image has that of all others; it is told not to look. */
const MOUNT_OPTIONS: Record<FileSystemName, string> = { ext4: 'noatime', xfs: 'noatime,nouuid', btrfs: 'noatime' };

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A file system that does not mount. */
export class RefusedError extends Error {}

export class ServedDisk {
  readonly fileSystem: FileSystemName;
  /** Where it is mounted. */
  readonly folder: string;
  /** What is served. */
  disk: Disk;
  readonly #file: string;
  #undoMount: (() => Promise<void>) | undefined;

  private constructor(fileSystem: FileSystemName, disk: Disk, base: string) {
    this.fileSystem = fileSystem;
    this.disk = disk;
    this.#file = join(base, 'fuse/disk');
    this.folder = join(base, 'mounted');
  }

  /** Serves a disk on which the file system was made, which is then `disk`. */
  static async make(fileSystem: FileSystemName, size: number): Promise<ServedDisk> {
    const base = makeFolder(true);
    const served = new ServedDisk(fileSystem, new Disk(size), base);
    mkdirSync(join(base, 'fuse'));
    mkdirSync(served.folder);
    const server = await serve(join(base, 'socket'), () => served.disk);
    onEnd('the NBD server', () => server.close());
    // A process group of its own: an interrupt from the keyboard is for us, who unmount before it ends.
    const fuse = spawn('nbdfuse', [served.#file, '--unix', join(base, 'socket')], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    fuse.stderr.on('data', (text: Buffer) => (complaint = (complaint + text.toString()).slice(-COMPLAINT_MAX)));
    const ended = new Promise<void>((resolve) => fuse.on('close', () => resolve()));
    onEnd('nbdfuse', async () => {
      // The loop driver may let go of the file a moment after it has said so.
      for (let tries = 0; fuse.exitCode === null && fuse.signalCode === null && tries < DETACH_TRIES; tries++) {
        await run('fusermount3', '-u', join(base, 'fuse')).catch(() => pause(DETACH_PAUSE));
      }
      fuse.kill();
      await ended;
    });
    const until = performance.now() + WAIT_MAX;
    while (!existsSync(served.#file)) {
      if (fuse.exitCode !== null || performance.now() > until) throw new Error(`nbdfuse shows no file: ${complaint}`);
      await pause(20);
    }
    await makeFileSystem(fileSystem, served.#file);
    return served;
  }

  /** Mounts what is served now. Each time by a device of its own, so nothing is cached of what was served before. @throws RefusedError when the file system refuses. */
  async mount(): Promise<void> {
    const device = await run('losetup', '--find', '--show', this.#file);
    const undoDevice = onEnd(device, () => run('losetup', '--detach', device));
    try {
      await run('mount', '-t', this.fileSystem, '-o', MOUNT_OPTIONS[this.fileSystem], device, this.folder);
    } catch (error) {
      await undoDevice();
      throw new RefusedError((error as Error).message);
    }
    const undoMount = onEnd(this.folder, () => run('umount', this.folder).catch(() => run('umount', '--lazy', this.folder)));
    this.#undoMount = async () => {
      await undoMount();
      await undoDevice();
    };
  }

  async unmount(): Promise<void> {
    await this.#undoMount?.();
    this.#undoMount = undefined;
  }
}

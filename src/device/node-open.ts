/** The file of a store under Node, Bun and Deno: device and lock put together. */
import { LockedError } from '../errors.js';
import { findHolder, acquireLock, type Holder } from './node-lock.js';
import { openNodeDevice } from './node-file.js';
import type { PlatformFile } from './platform-file.js';

function heldBy(path: string, holder: Holder): LockedError {
  return new LockedError(`${path} is held by ${holder.description}. A read-only open sees only stores that nobody writes: wait until it is closed.`, holder.pid);
}

/** Opens a file and takes its lock; a reader takes none, and is refused while a writer holds the store. */
export async function openNodeFile(path: string, options: { create: boolean; readOnly: boolean }): Promise<PlatformFile> {
  const device = await openNodeDevice(path, options);
  try {
    if (options.readOnly) return await openForReading(device);
    const lock = await acquireLock(device.realPath, device.identity);
    return {
      device,
      confirm: async () => undefined,
      release: () => {
        device.close();
        lock.release();
      },
    };
  } catch (error) {
    device.close();
    throw error;
  }
}

async function openForReading(device: Awaited<ReturnType<typeof openNodeDevice>>): Promise<PlatformFile> {
  const confirm = async (): Promise<void> => {
    const holder = await findHolder(device.realPath, device.identity);
    if (holder !== undefined) throw heldBy(device.name, holder);
  };
  await confirm();
  return { device, confirm, release: () => device.close() };
}

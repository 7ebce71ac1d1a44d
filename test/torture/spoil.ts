/** What a file system does with a flush that failed, without any store: the reason why a store must not flush again and believe it. Shows that the injected failures are the real thing. */
import { closeSync, fdatasyncSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

const SIZE = 65536;
const OLD = 0x6f;
const NEW = 0x6e;

const attempt = (action: () => void): string => {
  try {
    action();
    return 'succeeds';
  } catch (error) {
    return `fails with ${(error as { code?: string }).code ?? String(error)}`;
  }
};

/** Which bytes a read of the file shows. */
export function look(path: string): string {
  const byte = Buffer.alloc(1);
  try {
    const descriptor = openSync(path, 'r');
    try {
      readSync(descriptor, byte, 0, 1, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return byte[0] === NEW ? 'new' : 'old';
}

/** Overwrites flushed bytes, has the disk fail, flushes twice and reads. */
export async function spoil(path: string, arm: () => Promise<void>): Promise<string> {
  const descriptor = openSync(path, 'w+');
  try {
    writeSync(descriptor, Buffer.alloc(SIZE, OLD), 0, SIZE, 0);
    fsyncSync(descriptor);
    writeSync(descriptor, Buffer.alloc(SIZE, NEW), 0, SIZE, 0);
    await arm();
    return `the flush ${attempt(() => fdatasyncSync(descriptor))}, the next one ${attempt(() => fdatasyncSync(descriptor))}, a read shows the ${look(path)} bytes`;
  } finally {
    closeSync(descriptor);
  }
}

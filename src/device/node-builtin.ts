/** What the files for Node share: its built-in modules, reached so that no bundler follows, and its errors in the terms of devices. */
import { DeviceError, type DeviceErrorKind } from './device.js';

export type FileSystem = typeof import('node:fs');

/** One of Node's built-in modules, without an import that a bundler would follow. */
export function builtin<T>(name: string): T {
  return (globalThis as unknown as { process: { getBuiltinModule(name: string): T } }).process.getBuiltinModule(name);
}

/** The platform's name of an error, such as `ENOENT`; empty where it has none. */
export function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return '';
  // Node has no name for a quota that is used up, and gives the kernel's number instead.
  if ('errno' in error && error.errno === -builtin<typeof import('node:os')>('node:os').constants.errno.EDQUOT) return 'EDQUOT';
  return String(error.code);
}

/** Which kind of failure an error of the platform is. */
export function kindOf(error: unknown): DeviceErrorKind {
  switch (codeOf(error)) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'full';
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'permission';
    case 'ENOENT':
      return 'missing';
    default:
      return 'io';
  }
}

/** An error of the platform as a device reports it. */
export function deviceError(operation: string, error: unknown, kind = kindOf(error)): DeviceError {
  if (error instanceof DeviceError) return error;
  return new DeviceError(kind, operation, error instanceof Error ? error.message : String(error), { cause: error });
}

/** Whether a call was only interrupted, and may be made again. */
export function isInterruption(error: unknown): boolean {
  const code = codeOf(error);
  return code === 'EINTR' || code === 'EAGAIN';
}

/** Closes a descriptor for somebody to whom a failure would tell nothing new: what had to be durable was flushed, or something else has failed already. */
export function closeQuietly(fs: FileSystem, descriptor: number): void {
  try {
    fs.closeSync(descriptor);
  } catch {
    // A flush reports whatever a failing close could.
  }
}

/** What tells one file from every other, whatever its paths. */
export interface FileIdentity {
  readonly device: number | bigint;
  readonly inode: number | bigint;
}

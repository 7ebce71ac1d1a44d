/** What the errors of a device mean to the users of a store. */
import { DeviceError } from '../device/device.js';
import { FullError, IoError } from '../errors.js';

/** The error that users see for one of a device; any other error as it is. */
export function explainDevice(error: unknown, name: string): unknown {
  if (!(error instanceof DeviceError)) return error;
  const options = { cause: error };
  if (error.kind === 'full') return new FullError(`The disk that holds ${name} is full: make room on it, then try again. (${error.message})`, options);
  return new IoError(`The device of ${name} failed to ${error.operation}: ${error.message}. Look at the disk, then open the store again.`, options);
}

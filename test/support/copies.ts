/** Copies of stores for tests: to a simulated device, to a stream that collects, and held against what they are a copy of. */
import { beginCopy, copyStore, type Copied, type CopyOptions } from '../../src/copy.js';
import { DeviceSink } from '../../src/copy-sinks.js';
import type { Device } from '../../src/device/device.js';
import type { Kernel } from '../../src/kernel.js';
import type { Snapshot } from '../../src/snapshot.js';
import type { Store } from '../../src/store.js';

/** Copies a store to a device, as a path is copied to. */
export function copyToDevice(db: Store, device: Device, options: CopyOptions = {}): Promise<Copied> {
  const { kernel } = db as unknown as { kernel: Kernel };
  return copyStore(kernel, beginCopy(kernel, options), new DeviceSink(device, () => options.signal?.throwIfAborted()), options);
}

/** Lays a copy out in one turn of the event loop, and lets it go. */
export function copyAtOnce(db: Store): void {
  const { kernel } = db as unknown as { kernel: Kernel };
  const { copy, hold } = kernel.guard(() => kernel.holds.copy(true, new Uint8Array(32)));
  try {
    while (!copy.hasEnded) kernel.guard(() => copy.step());
    kernel.guard(() => copy.superblocks());
  } finally {
    kernel.holds.release(hold);
  }
}

/** A stream that keeps what it is given. */
export class Collector extends WritableStream<Uint8Array> {
  readonly chunks: Uint8Array[];
  /** What the stream was told when it was given up. */
  readonly ends: { aborted: unknown; isClosed: boolean };

  constructor(write: (count: number) => void | Promise<void> = () => undefined) {
    const chunks: Uint8Array[] = [];
    const ends = { aborted: undefined as unknown, isClosed: false };
    super({
      write: (chunk) => {
        chunks.push(chunk);
        return write(chunks.length);
      },
      close: () => {
        ends.isClosed = true;
      },
      abort: (reason) => {
        ends.aborted = reason;
      },
    });
    this.chunks = chunks;
    this.ends = ends;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.chunks);
  }
}

/** What a store or a snapshot holds: each key of each keyspace with its value and version, as text. */
export function contentsOf(view: Store | Snapshot, names: readonly string[], keyspaceOf: (name: string) => { scan(): Iterable<{ key: unknown; value: unknown; version: number }> }): string[] {
  const lines: string[] = [];
  const take = (name: string, entries: Iterable<{ key: unknown; value: unknown; version: number }>): void => {
    for (const { key, value, version } of entries) lines.push(`${name} ${inspect(key)} = ${inspect(value)} @ ${version}`);
  };
  take('', view.scan());
  for (const name of names) take(name, keyspaceOf(name).scan());
  return lines;
}

/** A value as text that tells it from every other. */
export function inspect(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${Buffer.from(value).toString('base64')}`;
  if (value instanceof Map) return `map ${inspect([...value])}`;
  if (value instanceof Set) return `set ${inspect([...value])}`;
  if (value instanceof Date) return `date ${value.getTime()}`;
  if (Array.isArray(value)) return `[${value.map(inspect).join(', ')}]`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).map(([name, item]) => `${name}: ${inspect(item)}`).join(', ')}}`;
  return Object.is(value, -0) ? '-0' : typeof value === 'string' ? JSON.stringify(value) : String(value);
}

/** Exports: the keys of a range as lines of JSON or in the compact form, as somebody reads them. */
import { checkOptionsOf, checkSignal } from '../abort.js';
import type { Key } from '../codec/key.js';
import { KEYSPACES_TO } from '../codec/keyspace-name.js';
import { Space } from '../codec/space.js';
import { continueHash } from '../engine/checksum.js';
import { InvalidArgumentError } from '../errors.js';
import type { Kernel } from '../kernel.js';
import type { Bounds, Range } from '../range.js';
import type { OpenScan } from '../scan.js';
import { BLOCK_SIZE, BinaryWriter, type ContinueHash } from './binary.js';
import { Lines } from './ndjson.js';
import { checkFormat, takeRecord, type ExchangeFormat, type ExchangeRecord } from './record.js';

/** How far an export or an import has come. */
export interface ExchangeProgress {
  /** Keys that were written out, or read in. */
  readonly records: number;
  /** Bytes of the stream. */
  readonly bytes: number;
}

/** Which keys are exported, as which bytes. A range is that of the store's own keys, or of the keyspace that is named; without either it is everything, all keyspaces among them. */
export interface ExportOptions extends Range {
  /** The name of a keyspace: only its keys. */
  keyspace?: string;
  /** Lines of JSON that people and `jq` read, or the compact form with checksums. Default `ndjson`. */
  format?: ExchangeFormat;
  /** Ends the export: the stream then fails with its reason. */
  signal?: AbortSignal;
  /** Told with each chunk. What it throws ends the export. */
  onProgress?: (progress: ExchangeProgress) => void;
}

/** What a chunk holds at most, beside its last record, and how many records: so that nobody waits long for it. */
export const CHUNK_COUNT = 2000;
const OPTIONS = new Set(['keyspace', 'format', 'signal', 'onProgress']);

/** Checks options. Throws `InvalidArgumentError`, and the reason of the signal. */
export function checkExportOptions(options: ExportOptions): void {
  checkOptionsOf('export', options);
  checkFormat(options.format);
  if (options.onProgress !== undefined && typeof options.onProgress !== 'function') throw new InvalidArgumentError('The option onProgress takes a function.');
  checkSignal(options.signal);
}

/** Where an export begins and ends. Throws `InvalidArgumentError`. */
export function boundsOf(options: ExportOptions, own: Space<Key, unknown>): Bounds {
  const { keyspace } = options;
  const range = Object.fromEntries(Object.entries(options).filter(([name]) => !OPTIONS.has(name))) as Range;
  if (keyspace !== undefined && typeof keyspace !== 'string') throw new InvalidArgumentError('The keyspace of an export is its name.');
  const hasRange = ['prefix', 'gt', 'gte', 'lt', 'lte'].some((name) => range[name as keyof Range] !== undefined);
  const bounds = (keyspace === undefined ? own : new Space<Key, unknown>(keyspace, undefined, own.values)).bounds(range);
  return keyspace === undefined && !hasRange ? { ...bounds, to: KEYSPACES_TO } : bounds;
}

/** What turns records into chunks. */
export interface Encoder {
  begin(): Uint8Array | undefined;
  /** Returns whether a chunk is full. */
  add(record: ExchangeRecord): boolean;
  take(): Uint8Array | undefined;
  end(): Uint8Array | undefined;
}

function lineEncoder(): Encoder {
  const lines = new Lines();
  const encoder = new TextEncoder();
  let text = '';
  return {
    begin: () => undefined,
    add: (record) => {
      text += `${lines.write(record)}\n`;
      return text.length >= BLOCK_SIZE;
    },
    take: () => {
      const chunk = text === '' ? undefined : encoder.encode(text);
      text = '';
      return chunk;
    },
    end: () => undefined,
  };
}

function binaryEncoder(hash: ContinueHash): Encoder {
  const writer = new BinaryWriter(hash);
  return { begin: () => writer.head(), add: (record) => writer.add(record), take: () => writer.close(), end: () => writer.end() };
}

/** What turns records into chunks of a form. */
export function encoderOf(format: ExchangeFormat | undefined, hash: ContinueHash): Encoder {
  return format === 'binary' ? binaryEncoder(hash) : lineEncoder();
}

/** An export on its way. */
class Export {
  readonly #kernel: Kernel;
  readonly #options: ExportOptions;
  readonly #encoder: Encoder;
  readonly #open: OpenScan;
  #isBegun = false;
  #records = 0;
  #bytes = 0;

  constructor(kernel: Kernel, own: Space<Key, unknown>, options: ExportOptions) {
    this.#kernel = kernel;
    this.#options = options;
    const bounds = boundsOf(options, own);
    this.#encoder = encoderOf(options.format, (state, bytes) => continueHash(kernel.engine, state, bytes));
    this.#open = kernel.holds.scan(kernel, bounds, true, this);
  }

  close(): void {
    this.#open.close();
  }

  /** Gives the stream its next chunk, or its end. Returns whether there is more. */
  pull(controller: ReadableStreamDefaultController<Uint8Array>): boolean {
    try {
      this.#options.signal?.throwIfAborted();
      this.#open.check();
      const hasMore = this.#kernel.guard(() => this.#fill(controller));
      if (hasMore) return true;
      this.close();
      controller.close();
      return false;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #fill(controller: ReadableStreamDefaultController<Uint8Array>): boolean {
    const { scan } = this.#open;
    if (!this.#isBegun) this.#give(controller, this.#encoder.begin());
    this.#isBegun = true;
    // Whoever was told of it may have ended the export.
    this.#open.check();
    for (let count = 0; count < CHUNK_COUNT; count++) {
      if (!scan.next()) {
        this.#give(controller, this.#encoder.take());
        this.#give(controller, this.#encoder.end());
        return false;
      }
      this.#records++;
      if (this.#encoder.add(takeRecord(scan))) break;
    }
    this.#give(controller, this.#encoder.take());
    return true;
  }

  #give(controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array | undefined): void {
    if (chunk === undefined) return;
    this.#bytes += chunk.length;
    controller.enqueue(chunk);
    this.#options.onProgress?.({ records: this.#records, bytes: this.#bytes });
  }
}

/** What `db.export` does. The store is seen as it is at the call. */
export function exportStream(kernel: Kernel, own: Space<Key, unknown>, options: ExportOptions): ReadableStream<Uint8Array> {
  checkExportOptions(options);
  const { signal } = options;
  kernel.checkIdle();
  const exporting = new Export(kernel, own, options);
  let stop = (): void => undefined;
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      stop = () => {
        exporting.close();
        controller.error(signal!.reason);
      };
      signal?.addEventListener('abort', stop, { once: true });
    },
    pull: (controller) => {
      let hasMore = false;
      try {
        hasMore = exporting.pull(controller);
      } finally {
        if (!hasMore) signal?.removeEventListener('abort', stop);
      }
    },
    cancel: () => {
      signal?.removeEventListener('abort', stop);
      exporting.close();
    },
  });
}

/** Imports: records from lines of JSON or from the compact form, in batches that are each applied whole or not at all. */
import { MAX_KEY_SIZE } from '../../assembly/shared/limits.js';
import { checkOptionsOf, checkSignal } from '../abort.js';
import { Space } from '../codec/space.js';
import { continueHash } from '../engine/checksum.js';
import { ImportError, InvalidArgumentError, TooLargeError } from '../errors.js';
import type { Kernel } from '../kernel.js';
import type { Version } from '../reader.js';
import { traceImport, type TracedExchange } from '../tracing.js';
import { applyRecords, EXISTING, type Applied, type Existing } from './apply.js';
import { BLOCK_HEAD_SIZE, BinaryReader, HEAD_SIZE, isBinary, type ContinueHash } from './binary.js';
import type { ExchangeProgress } from './export.js';
import { Lines } from './ndjson.js';
import { checkFormat, prefixSizeOf, type ExchangeFormat, type ExchangeRecord } from './record.js';
import { Source, type ExchangeSource } from './source.js';

export interface ImportOptions {
  /** The name of the keyspace to which all of it goes. Default: the store itself, and the keyspaces that the records name. */
  keyspace?: string;
  /** Which form the source has. Default: as it begins. */
  format?: ExchangeFormat;
  /** What happens to a key that exists already: `overwrite` (default), `skip`, which leaves it as it is, or `fail`, which ends the import before the batch with that key. */
  existing?: Existing;
  /** Ends the import between two batches: the promise then rejects with its reason. */
  signal?: AbortSignal;
  /** Told after each batch, when it is as durable as a put. What it throws ends the import. */
  onProgress?: (progress: ExchangeProgress & { written: number }) => void;
}

export interface ImportReport {
  /** Records that the source held. */
  readonly read: number;
  /** Keys that were put, and those that were left because they existed. */
  readonly written: number;
  readonly skipped: number;
  /** The version of the last batch, 0 where nothing was written. */
  readonly version: Version;
}

/** What goes into one batch: enough that a commit costs little, and not so much that others wait for it. */
const BATCH_SIZE = 1 << 20;
const BATCH_COUNT = 1000;
const NAMES = new Set(['keyspace', 'format', 'existing', 'signal', 'onProgress']);

/** Where a record comes from. */
type Place = { readonly line: number } | { readonly offset: number };

/** Checks options. Throws `InvalidArgumentError`. */
function checkOptions(options: ImportOptions): void {
  checkOptionsOf('import', options);
  for (const name of Object.keys(options)) if (!NAMES.has(name)) throw new InvalidArgumentError(`import has no option ${name}. It takes ${[...NAMES].join(', ')}.`);
  checkFormat(options.format);
  const { existing, keyspace, onProgress } = options;
  if (existing !== undefined && !EXISTING.includes(existing)) throw new InvalidArgumentError("The option existing takes 'overwrite', 'skip' or 'fail'.");
  if (keyspace !== undefined && typeof keyspace !== 'string') throw new InvalidArgumentError('The keyspace of an import is its name.');
  if (onProgress !== undefined && typeof onProgress !== 'function') throw new InvalidArgumentError('The option onProgress takes a function.');
}

/** Where records go. */
export interface ImportTarget {
  readonly hash: ContinueHash;
  /** Applies a batch as one commit. */
  apply(records: readonly ExchangeRecord[], existing: Existing): Promise<Applied>;
  /** What the caller is told of an error. */
  caught(error: unknown): unknown;
}

/** An import on its way. */
export class Import {
  readonly #target: ImportTarget;
  readonly #options: ImportOptions;
  readonly #source: Source;
  /** What every key begins with, where all go to one keyspace. */
  readonly #prefix: Uint8Array | undefined;
  #batch: ExchangeRecord[] = [];
  #places: Place[] = [];
  #batchSize = 0;
  #read = 0;
  #written = 0;
  #skipped = 0;
  #version = 0;

  /** @throws InvalidArgumentError, the reason of the signal. */
  constructor(target: ImportTarget, source: ExchangeSource, options: ImportOptions) {
    checkOptions(options);
    checkSignal(options.signal);
    this.#target = target;
    this.#options = options;
    this.#prefix = options.keyspace === undefined ? undefined : new Space(options.keyspace, undefined, undefined as never).from;
    this.#source = new Source(source, options.signal);
  }

  async run(): Promise<ImportReport> {
    try {
      const format = this.#options.format ?? (isBinary(await this.#source.peek(8)) ? 'binary' : 'ndjson');
      if (format === 'binary') await this.#readBlocks();
      else await this.#readLines();
      await this.#apply();
      return { read: this.#read, written: this.#written, skipped: this.#skipped, version: this.#version };
    } catch (error) {
      this.#source.end(error);
      throw this.#target.caught(error);
    }
  }

  /** The error for something that is wrong with the source. */
  #wrong(place: Place, cause: unknown): ImportError {
    const where = 'line' in place ? `Line ${place.line}` : `The block at byte ${place.offset}`;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return new ImportError(`${where} cannot be imported: ${reason} ${this.#read} records before it were, of which ${this.#written} are new or changed; nothing behind them.`, { ...place, read: this.#read, written: this.#written }, { cause });
  }

  async #readLines(): Promise<void> {
    const lines = new Lines();
    const decoder = new TextDecoder('utf-8', { fatal: true });
    let number = 0;
    for (let bytes = await this.#source.line(); bytes !== undefined; bytes = await this.#source.line()) {
      const place = { line: ++number };
      let record: ExchangeRecord | undefined;
      try {
        const text = decoder.decode(bytes);
        if (text.trim() !== '') record = this.#rebased(lines.read(text));
      } catch (error) {
        throw this.#wrong(place, error);
      }
      if (record !== undefined) await this.#take(record, place);
    }
  }

  async #readBlocks(): Promise<void> {
    const reader = new BinaryReader(this.#target.hash);
    const whole = async (size: number): Promise<Uint8Array> => {
      const bytes = await this.#source.take(size);
      if (bytes.length < size) throw new InvalidArgumentError('The source ends before the export does: it was cut off.');
      return bytes;
    };
    for (let isHead = true, offset = 0; ; isHead = false, offset = this.#source.taken) {
      let records: readonly ExchangeRecord[] | undefined = [];
      try {
        if (isHead) reader.head(await whole(HEAD_SIZE));
        else {
          const head = await whole(BLOCK_HEAD_SIZE);
          const rest = await whole(BinaryReader.restOf(head));
          const block = new Uint8Array(head.length + rest.length);
          block.set(head);
          block.set(rest, head.length);
          records = reader.block(block)?.map((record) => this.#rebased(record));
          if (records === undefined && (await this.#source.take(1)).length > 0) throw new InvalidArgumentError('Something stands behind the end of the export.');
        }
      } catch (error) {
        if (error instanceof InvalidArgumentError || error instanceof TooLargeError) throw this.#wrong({ offset }, error);
        throw error;
      }
      if (records === undefined) return;
      for (const record of records) await this.#take(record, { offset });
    }
  }

  /** A record as it is put: with the name of the keyspace that it goes to before its key. */
  #rebased(record: ExchangeRecord): ExchangeRecord {
    if (this.#prefix === undefined) return record;
    const own = record.keyBytes.subarray(prefixSizeOf(record.keyBytes));
    const keyBytes = new Uint8Array(this.#prefix.length + own.length);
    if (keyBytes.length > MAX_KEY_SIZE) throw new TooLargeError(`A key takes ${keyBytes.length} bytes with the name of the keyspace, and keys may take ${MAX_KEY_SIZE}.`);
    keyBytes.set(this.#prefix);
    keyBytes.set(own, this.#prefix.length);
    return { ...record, keyBytes };
  }

  async #take(record: ExchangeRecord, place: Place): Promise<void> {
    this.#batch.push(record);
    this.#places.push(place);
    this.#batchSize += record.keyBytes.length + record.bytes.length;
    if (this.#batchSize >= BATCH_SIZE || this.#batch.length >= BATCH_COUNT) await this.#apply();
  }

  /** Has the batch applied as one commit, which is then as durable as a put. */
  async #apply(): Promise<void> {
    const { signal, onProgress, existing = 'overwrite' } = this.#options;
    signal?.throwIfAborted();
    const count = this.#batch.length;
    if (count === 0) return;
    const { written, version, clash } = await this.#target.apply(this.#batch, existing);
    if (clash !== undefined) throw this.#wrong(this.#places[clash]!, new InvalidArgumentError('Its key exists already.'));
    this.#batch = [];
    this.#places = [];
    this.#batchSize = 0;
    this.#read += count;
    this.#written += written;
    this.#skipped += count - written;
    if (version !== 0) this.#version = version;
    onProgress?.({ records: this.#read, written: this.#written, bytes: this.#source.taken });
  }
}

/** What `db.import` does. */
export async function importFrom(kernel: Kernel, source: ExchangeSource, options: ImportOptions): Promise<ImportReport> {
  kernel.checkWritable();
  const target: ImportTarget = {
    hash: (state, bytes) => kernel.guard(() => continueHash(kernel.engine, state, bytes)),
    apply: (records, existing) => applyRecords(kernel, records, existing),
    caught: (error) => kernel.caught(error),
  };
  const importing = new Import(target, source, options);
  const traced: TracedExchange = { store: kernel.name };
  return traceImport.promise(traced, async () => {
    const report = await importing.run();
    traced.records = report.read;
    return report;
  });
}

/** Backups, exports and imports from a page, with the forms that they have: loaded when the first of them is asked for. */
import { orAborted } from '../abort.js';
import { checkBackupOptions, type BackupOptions, type BackupReport } from '../backup.js';
import type { Key } from '../codec/key.js';
import type { Space } from '../codec/space.js';
import type { CopyProgress } from '../copy.js';
import { continueHash } from '../engine/checksum.js';
import { Engine } from '../engine/engine.js';
import type { WasmModule } from '../engine/wasm-types.js';
import { InvalidArgumentError, VersionGoneError } from '../errors.js';
import { EXISTING, type Applied, type Existing } from '../exchange/apply.js';
import type { ContinueHash } from '../exchange/binary.js';
import { CHUNK_COUNT, boundsOf, checkExportOptions, encoderOf, type ExportOptions } from '../exchange/export.js';
import { Import, type ImportOptions, type ImportReport } from '../exchange/import.js';
import type { ExchangeRecord } from '../exchange/record.js';
import type { ExchangeSource } from '../exchange/source.js';
import { NO_EXPIRY, type FrameReader } from '../worker/frames.js';
import * as protocol from '../worker/protocol.js';
import { WRITE, type Fate, type Link } from './link.js';
import type { SharedSnapshot } from './shared-snapshot.js';

/** What a core takes that does nothing but hash, in bytes. */
const HASH_MEMORY = { initial: 1 << 20, limit: 2 << 20 };

const copyGone = (): Error => new VersionGoneError('The worker that made this backup has ended, and the backup with it: begin another one.');
const IN_BACKUP: Fate = { isRepeated: false, unanswered: copyGone, lost: copyGone };

/** The hash of the compact form, by a core of its own: the store's is the worker's. */
export function hashOf(module: WasmModule): ContinueHash {
  let engine: Engine | undefined;
  return (state, bytes) => {
    engine ??= new Engine('export', HASH_MEMORY, () => Date.now(), module);
    continueHash(engine, state, bytes);
  };
}

/** The chunks of an export of what a snapshot sees, which is closed at its end. */
export async function* exportChunks(snapshot: SharedSnapshot, own: Space<Key, unknown>, options: ExportOptions, hash: ContinueHash): AsyncGenerator<Uint8Array, void> {
  try {
    checkExportOptions(options);
    const { signal, onProgress, format } = options;
    let records = 0;
    let bytes = 0;
    const tell = (chunk: Uint8Array): Uint8Array => {
      bytes += chunk.length;
      onProgress?.({ records, bytes });
      return chunk;
    };
    const encoder = encoderOf(format, hash);
    const head = encoder.begin();
    if (head !== undefined) yield tell(head);
    let count = 0;
    for await (const record of snapshot.records(boundsOf(options, own))) {
      records++;
      count++;
      if (!encoder.add(record) && count < CHUNK_COUNT) continue;
      signal?.throwIfAborted();
      count = 0;
      yield tell(encoder.take()!);
    }
    for (const chunk of [encoder.take(), encoder.end()]) if (chunk !== undefined) yield tell(chunk);
  } finally {
    snapshot.close();
  }
}

/** Sends a batch of records to the worker, which applies it as one commit. */
function apply(link: Link, records: readonly ExchangeRecord[], existing: Existing): Promise<Applied> {
  return link.call(WRITE, protocol.OP_RECORDS, (frames) => {
    frames.byte(EXISTING.indexOf(existing));
    frames.word(records.length);
    for (const { keyBytes, bytes, kind, expiry } of records) {
      frames.block(keyBytes, 0, keyBytes.length);
      frames.number(expiry ?? NO_EXPIRY);
      frames.value(kind, bytes, 0, bytes.length);
    }
  }, (frames) => {
    const written = frames.word();
    const version = frames.number();
    const clash = frames.number();
    return { written, version, clash: clash === protocol.NO_CLASH ? undefined : clash };
  });
}

/** What `db.import` does. */
export async function importFrom(link: Link, source: ExchangeSource, options: ImportOptions, hash: ContinueHash): Promise<ImportReport> {
  return new Import({ hash, apply: (records, existing) => apply(link, records, existing), caught: (error) => error }, source, options).run();
}

interface Part {
  /** How far the copy had come before this part. */
  readonly progress: CopyProgress;
  readonly bytes: Uint8Array | undefined;
  readonly report: BackupReport | undefined;
}

function readPart(frames: FrameReader): Part {
  const progress = { done: frames.number(), total: frames.number(), bytes: frames.number() };
  if (frames.byte() === 0) return { progress, bytes: undefined, report: JSON.parse(frames.text()) as BackupReport };
  return { progress, bytes: frames.block().slice(), report: undefined };
}

async function writeParts(link: Link, job: number, writer: WritableStreamDefaultWriter<Uint8Array>, { history = false, signal, onProgress }: BackupOptions): Promise<BackupReport> {
  let isFirst = true;
  let told = 0;
  for (;;) {
    const part = await orAborted(link.call(IN_BACKUP, isFirst ? protocol.OP_BACKUP : protocol.OP_PART, (frames) => {
      frames.word(job);
      if (isFirst) frames.byte(history ? 1 : 0);
      isFirst = false;
    }, readPart), signal);
    if (part.progress.bytes > told) onProgress?.(part.progress);
    told = part.progress.bytes;
    if (part.bytes === undefined) {
      await orAborted(writer.close(), signal);
      return part.report!;
    }
    // Not `ready`, which a stream that takes nothing ahead never is.
    await orAborted(writer.write(part.bytes), signal);
  }
}

/** What `db.backup` does: takes the copy from the worker part by part, as the stream wants them. */
export async function backupTo(link: Link, target: WritableStream<Uint8Array>, options: BackupOptions): Promise<BackupReport> {
  checkBackupOptions(options);
  if (typeof target !== 'object' || target === null || typeof target.getWriter !== 'function') throw new InvalidArgumentError('backup takes a WritableStream in a page, which saves no files.');
  if (options.overwrite !== undefined) throw new InvalidArgumentError('The option overwrite is for a path: a stream has nothing to replace.');
  options.signal?.throwIfAborted();
  const writer = target.getWriter();
  const job = link.nextNumber();
  try {
    return await writeParts(link, job, writer, options);
  } catch (error) {
    // The stream learns that what it has is no copy; that it has failed itself it knows.
    writer.abort(error).catch(() => undefined);
    throw error;
  } finally {
    link.tell(protocol.OP_END_JOB, (frames) => frames.word(job));
    writer.releaseLock();
  }
}

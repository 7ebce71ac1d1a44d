/** What one page has asked for that takes long, by the numbers that it has given them: compactions, and backups, which the page takes part by part, as fast as it wants them. */
import type { BackupReport } from '../backup.js';
import type { Compacted } from '../compaction.js';
import type { CopyProgress } from '../copy.js';
import type { FrameWriter } from './frames.js';
import { LOST } from './outbox.js';
import type { RawStore } from './raw.js';

const NO_PROGRESS: CopyProgress = { done: 0, total: 0, bytes: 0 };

/** The next bytes of a backup, or its end. */
interface Part {
  readonly bytes: Uint8Array | undefined;
  readonly report: BackupReport | undefined;
}

/** A backup on its way: it goes on when a part of it was taken. */
class Backup {
  readonly #done: Promise<Part>;
  #progress = NO_PROGRESS;
  #accept: () => void = () => undefined;
  #onPart: (part: Part | Promise<Part>) => void = () => undefined;
  #isOver = false;

  constructor(store: RawStore, history: boolean, signal: AbortSignal) {
    const stream = new WritableStream<Uint8Array>({
      write: (bytes) => new Promise<void>((resolve) => {
        this.#accept = resolve;
        this.#onPart({ bytes, report: undefined });
      }),
    });
    const onProgress = (progress: CopyProgress): void => {
      this.#progress = progress;
    };
    this.#done = store.backup(stream, { history, signal, onProgress }).then((report) => ({ bytes: undefined, report }));
    // Whoever waits for the next part is told, and whoever asks for one afterwards.
    const end = (): void => {
      this.#isOver = true;
      this.#onPart(this.#done);
    };
    this.#done.then(end, end);
  }

  /** Gives the part before up, and waits for the next. The end is waited for once, and not with each part, which it would keep until then. */
  next(): Promise<Part> {
    if (this.#isOver) return this.#done;
    const next = new Promise<Part>((resolve) => {
      this.#onPart = resolve;
    });
    this.#accept();
    return next;
  }

  /** Writes a part, behind how far the copy had come before it. */
  write(answer: FrameWriter, { bytes, report }: Part): void {
    const { done, total, bytes: written } = this.#progress;
    for (const figure of [done, total, written]) answer.number(figure);
    answer.byte(bytes === undefined ? 0 : 1);
    if (bytes === undefined) answer.text(JSON.stringify(report));
    else answer.block(bytes, 0, bytes.length);
  }
}

export class Jobs {
  readonly #store: RawStore;
  readonly #aborts = new Map<number, AbortController>();
  readonly #backups = new Map<number, Backup>();

  constructor(store: RawStore) {
    this.#store = store;
  }

  #begin(number: number): AbortSignal {
    const controller = new AbortController();
    this.#aborts.set(number, controller);
    return controller.signal;
  }

  compact(number: number): Promise<Compacted> {
    return this.#store.compact({ signal: this.#begin(number) });
  }

  beginBackup(number: number, history: boolean): void {
    this.#backups.set(number, new Backup(this.#store, history, this.#begin(number)));
  }

  /** The next part of a backup, as what writes it. Throws `LOST`. */
  async nextPart(number: number): Promise<(answer: FrameWriter) => void> {
    const backup = this.#backups.get(number);
    if (backup === undefined) throw LOST;
    const part = await backup.next();
    return (answer) => backup.write(answer, part);
  }

  /** Ends a job, wherever it stands. */
  end(number: number): void {
    this.#aborts.get(number)?.abort();
    this.#aborts.delete(number);
    this.#backups.delete(number);
  }

  endAll(): void {
    for (const number of this.#aborts.keys()) this.end(number);
  }
}

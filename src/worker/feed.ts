/** A watch of a page: commits are read ahead while the page asks for them, and wait in the log otherwise. */
import type { Commit, Watcher } from '../watch.js';
import type { FrameWriter, StoredBytes } from './frames.js';

/** How many commits wait here for the page's next question. */
const AHEAD_MAX = 64;

export class Feed {
  readonly #watcher: Watcher<StoredBytes, Uint8Array>;
  readonly #onReady: () => void;
  readonly #ready: Commit<StoredBytes, Uint8Array>[] = [];
  #isReading = false;
  /** What ended the watch, if anything; `undefined` inside for an end in order. */
  #ended: { readonly error: unknown } | undefined;

  /** `onReady` is told when there may be something to answer. */
  constructor(watcher: Watcher<StoredBytes, Uint8Array>, onReady: () => void) {
    this.#watcher = watcher;
    this.#onReady = onReady;
    this.#read();
  }

  #read(): void {
    if (this.#isReading || this.#ended !== undefined || this.#ready.length >= AHEAD_MAX) return;
    this.#isReading = true;
    this.#watcher.next().then(({ done, value }) => {
      this.#isReading = false;
      if (done === true) this.#ended = { error: undefined };
      else this.#ready.push(value);
      this.#onReady();
      this.#read();
    }, (error: unknown) => {
      this.#isReading = false;
      this.#ended = { error };
      this.#onReady();
    });
  }

  get hasAnswer(): boolean {
    return this.#ready.length > 0 || this.#ended !== undefined;
  }

  /** Writes the commits that are ready: none at the end. Throws what has ended the watch. */
  answer(answer: FrameWriter): void {
    if (this.#ready.length === 0 && this.#ended?.error !== undefined) throw this.#ended.error;
    const commits = this.#ready.splice(0);
    answer.word(commits.length);
    for (const { version, time, changes } of commits) {
      answer.number(version);
      answer.number(time);
      answer.word(changes.length);
      for (const { key, value } of changes) {
        answer.block(key, 0, key.length);
        if (value === undefined) answer.absent();
        else answer.value(value.kind, value.source, value.start, value.end);
      }
    }
    this.#read();
  }

  end(): void {
    void this.#watcher.return();
  }
}

/** The answers of one page on their way out: those of a turn are one message, and those of writes come when their outcome does. */
import { FrameWriter } from './frames.js';
import * as protocol from './protocol.js';
import { tellError } from './told-error.js';

/** Thrown for a call whose view, cursor, watch or job is not here. */
export const LOST = new Error('lost');
/** How many turns of microtasks answers wait for those of writes that are about to be kept. */
const PATIENCE = 12;

export class Outbox {
  /** Where answers are written. */
  readonly answer = new FrameWriter();
  readonly #post: (answers: ArrayBuffer) => void;
  /** Whether messages are handed over as whole buffers. */
  readonly #isOwn: boolean;
  /** Calls whose answers are not written yet; those of watches do not count. */
  #waiting = 0;
  #isScheduled = false;
  #whenIdle: (() => void) | undefined;
  #isEnded = false;

  constructor(isOwn: boolean, post: (answers: ArrayBuffer) => void) {
    this.#isOwn = isOwn;
    this.#post = post;
  }

  /** Begins an answer. Returns where it does. */
  begin(id: number, status = protocol.ANSWER_OK): number {
    const start = this.answer.size;
    this.answer.word(id);
    this.answer.byte(status);
    this.answer.word(0);
    return start;
  }

  /** Writes how long the answer is that began at `start`. */
  finish(start: number): void {
    this.answer.patch(start + protocol.ANSWER_SIZE_OFFSET, this.answer.size - start - protocol.ANSWER_HEAD_SIZE);
  }

  /** Takes back the answer that began at `start`. */
  takeBack(start: number): void {
    this.answer.size = start;
  }

  refuse(id: number, error: unknown): void {
    const start = this.begin(id, error === LOST ? protocol.ANSWER_LOST : protocol.ANSWER_ERROR);
    if (error !== LOST) this.answer.text(JSON.stringify(tellError(error)));
    this.finish(start);
  }

  /** Answers when a promise has an outcome. */
  later<T>(id: number, promise: Promise<T>, write: (result: T) => void): false {
    this.#waiting++;
    promise.then((result) => {
      const start = this.begin(id);
      write(result);
      this.finish(start);
    }).catch((error: unknown) => this.refuse(id, error)).finally(() => {
      this.#waiting--;
      this.schedule();
    });
    return false;
  }

  schedule(): void {
    if (this.#isScheduled || this.#isEnded) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#send(PATIENCE));
  }

  /** Sends what is answered: later, while answers of writes of this turn are about to come. */
  #send(patience: number): void {
    if (this.#waiting > 0 && patience > 0) {
      queueMicrotask(() => this.#send(patience - 1));
      return;
    }
    this.#isScheduled = false;
    if (!this.answer.isEmpty && !this.#isEnded) this.#post(this.answer.take(this.#isOwn));
    if (this.#waiting === 0) this.#whenIdle?.();
  }

  /** Resolves when everything that was called is answered; watches do not count. */
  async idle(): Promise<void> {
    if (this.#waiting === 0 && this.answer.isEmpty) return;
    await new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
      this.schedule();
    });
  }

  /** Answers nothing more. */
  end(): void {
    this.#isEnded = true;
  }
}

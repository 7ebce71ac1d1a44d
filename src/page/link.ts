/**
 * The calls of a page on their way to the worker that has the store, whichever that is. What is called in one turn is one message. When the worker ends without having answered, what only reads is asked
 * of the next one; of a write nobody can say whether it was applied, and its caller is told just that; what hung on a snapshot or transaction of that worker fails, because nothing of it was applied.
 */
import { ClosedError, ConflictError, OutcomeUnknownError, VersionGoneError } from '../errors.js';
import { FrameReader, FrameWriter, HEAD_SIZE } from '../worker/frames.js';
import { ANSWER_ERROR, ANSWER_OK } from '../worker/protocol.js';
import { toldError, type ToldError } from '../worker/told-error.js';

/** What becomes of a call whose worker is gone. */
export interface Fate {
  /** Whether it is asked again of the next worker: calls that change nothing, and depend on nothing that the worker had. */
  readonly isRepeated: boolean;
  /** The error of a call that was sent and not answered. */
  readonly unanswered: () => Error;
  /** The error of a call about something that only an earlier worker had. */
  readonly lost: () => Error;
}

export const transactionLost = (): Error => new ConflictError('The worker that had this transaction has ended, and nothing of it was applied: run it again.');
const unknown = (): Error => new OutcomeUnknownError('The worker that this write was sent to has ended without an answer: it may or may not have been applied. Read, and decide.');
const versionGone = (): Error => new VersionGoneError('The worker that kept this view has ended, and the view with it: take another one.');

/** Thrown into a watch whose worker is gone: it goes on with the next. */
export class TermEnded extends Error {}
const termEnded = (): Error => new TermEnded();

export const READ: Fate = { isRepeated: true, unanswered: unknown, lost: versionGone };
export const WRITE: Fate = { isRepeated: false, unanswered: unknown, lost: unknown };
export const COMMIT: Fate = { isRepeated: false, unanswered: unknown, lost: transactionLost };
export const IN_VIEW: Fate = { isRepeated: false, unanswered: versionGone, lost: versionGone };
export const IN_WATCH: Fate = { isRepeated: false, unanswered: termEnded, lost: termEnded };

/** The way to the worker that has the store now. */
export interface Route {
  /** Whether a message is handed over as a whole buffer. */
  readonly isOwn: boolean;
  post(calls: ArrayBuffer): void;
}

interface Call {
  readonly id: number;
  readonly fate: Fate;
  /** What is sent again. */
  readonly frame: Uint8Array | undefined;
  readonly answer: (frames: FrameReader) => void;
  readonly reject: (error: Error) => void;
  isSent: boolean;
}

type Encode = (frames: FrameWriter) => void;

const NUMBER_MAX = 0xffffffff;

export class Link {
  readonly #name: string;
  /** Told when something waits to be sent and there is nobody to send it to. */
  readonly #onWanted: () => void;
  readonly #outbox = new FrameWriter();
  readonly #calls = new Map<number, Call>();
  #unsent: Call[] = [];
  #route: Route | undefined;
  #lastNumber = 0;
  #isScheduled = false;
  /** What is called while a call is encoded, by a codec or a getter: it goes behind. */
  #nested: FrameWriter[] = [];
  #isEncoding = false;
  #isClosed = false;
  #whenIdle: (() => void) | undefined;
  readonly #forgotten = new FinalizationRegistry<{ readonly operation: number; readonly number: number }>(({ operation, number }) => this.tell(operation, (frames) => frames.word(number)));

  constructor(name: string, onWanted: () => void) {
    this.#name = name;
    this.#onWanted = onWanted;
  }

  /** A number for a view, a cursor or a watch. */
  nextNumber(): number {
    this.#lastNumber = this.#lastNumber === NUMBER_MAX ? 1 : this.#lastNumber + 1;
    return this.#lastNumber;
  }

  /** Has the worker told when `holder` is collected as garbage while what it stands for is still held. */
  watchOver(holder: object, operation: number, number: number): void {
    this.#forgotten.register(holder, { operation, number }, holder);
  }

  /** Ends what a holder stands for. */
  release(holder: object, operation: number, number: number): void {
    this.#forgotten.unregister(holder);
    this.tell(operation, (frames) => frames.word(number));
  }

  #encode(operation: number, id: number, encode: Encode): FrameWriter {
    if (this.#isClosed) throw this.whyClosed();
    const isNested = this.#isEncoding;
    const frames = isNested ? new FrameWriter() : this.#outbox;
    const start = frames.size;
    this.#isEncoding = true;
    try {
      frames.byte(operation);
      frames.word(id);
      encode(frames);
    } catch (error) {
      frames.size = start;
      throw error;
    } finally {
      this.#isEncoding = isNested;
    }
    if (isNested) this.#nested.push(frames);
    return frames;
  }

  /** What was called within a call goes behind it. */
  #finish(): void {
    if (!this.#isEncoding) for (const frames of this.#nested.splice(0)) this.#append(frames.bytes.subarray(HEAD_SIZE, frames.size));
    this.#schedule();
  }

  #append(bytes: Uint8Array): void {
    const at = this.#outbox.reserve(bytes.length);
    this.#outbox.bytes.set(bytes, at);
    this.#outbox.size += bytes.length;
  }

  /** Makes a call. Rejects with what is wrong with it, with the error of the worker, or by its fate. */
  call<T>(fate: Fate, operation: number, encode: Encode, decode: (frames: FrameReader) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.nextNumber();
      const start = this.#isEncoding ? HEAD_SIZE : this.#outbox.size;
      let frames: FrameWriter;
      try {
        frames = this.#encode(operation, id, encode);
      } catch (error) {
        this.#finish();
        throw error;
      }
      const frame = fate.isRepeated ? frames.bytes.slice(start, frames.size) : undefined;
      const call = { id, fate, frame, answer: (answers: FrameReader) => resolve(decode(answers)), reject, isSent: false };
      this.#calls.set(id, call);
      this.#unsent.push(call);
      this.#finish();
    });
  }

  /** Says something that is not answered. @throws what is wrong with it. */
  tell(operation: number, encode: Encode): void {
    // What is only ended has ended with the link.
    if (this.#isClosed) return;
    try {
      this.#encode(operation, 0, encode);
    } finally {
      this.#finish();
    }
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#send();
    });
  }

  #send(): void {
    if (this.#outbox.isEmpty) return;
    if (this.#route === undefined) {
      this.#onWanted();
      return;
    }
    for (const call of this.#unsent) call.isSent = true;
    this.#unsent = [];
    this.#route.post(this.#outbox.take(this.#route.isOwn));
  }

  /** Sends to this worker from now on, also what has waited. */
  begin(route: Route): void {
    this.#route = route;
    this.#send();
  }

  /** Keeps what is called from now on for the next worker; answers of this one still count. */
  pause(): void {
    this.#send();
    this.#route = undefined;
  }

  /** The worker is gone, with whatever it has not answered. */
  end(): void {
    this.#route = undefined;
    const sent = Array.from(this.#calls.values()).filter(({ isSent }) => isSent);
    for (const call of sent) {
      if (call.frame === undefined) this.#drop(call, call.fate.unanswered());
      else {
        call.isSent = false;
        this.#unsent.push(call);
        this.#append(call.frame);
      }
    }
    if (this.#unsent.length > 0) this.#schedule();
    this.#noteIdle();
  }

  /** A message of answers. */
  answer(message: ArrayBuffer): void {
    const frames = new FrameReader(message);
    while (!frames.isAtEnd) {
      const call = this.#calls.get(frames.word());
      const status = frames.byte();
      const end = frames.word() + frames.at;
      if (call !== undefined) {
        this.#calls.delete(call.id);
        this.#settle(call, status, frames);
      }
      frames.at = end;
    }
    this.#noteIdle();
  }

  #settle(call: Call, status: number, frames: FrameReader): void {
    try {
      if (status === ANSWER_OK) call.answer(frames);
      else call.reject(status === ANSWER_ERROR ? toldError(JSON.parse(frames.text()) as ToldError) : call.fate.lost());
    } catch (error) {
      // A codec that refuses what is stored.
      call.reject(error as Error);
    }
  }

  #drop(call: Call, error: Error): void {
    this.#calls.delete(call.id);
    call.reject(error);
  }

  /** Rejects everything that was not sent: there is nobody who could be asked. */
  refuse(error: Error): void {
    for (const call of this.#unsent.splice(0)) this.#drop(call, error);
    this.#outbox.size = HEAD_SIZE;
    this.#noteIdle();
  }

  #noteIdle(): void {
    if (this.#calls.size > 0) return;
    this.#whenIdle?.();
    this.#whenIdle = undefined;
  }

  /** Resolves when everything that was called is answered. */
  idle(): Promise<void> {
    return this.#calls.size === 0 ? Promise.resolve() : new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  /** Refuses every call from now on; what was called is still sent and answered, but for watches, which have no end of their own. */
  seal(): void {
    this.#isClosed = true;
    for (const call of this.#calls.values()) if (call.fate === IN_WATCH) this.#drop(call, termEnded());
    this.#unsent = this.#unsent.filter(({ fate }) => fate !== IN_WATCH);
    this.#noteIdle();
  }

  /** Refuses every call, also those that nobody has been sent yet. */
  close(): void {
    this.seal();
    this.refuse(this.whyClosed());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  whyClosed(): ClosedError {
    return new ClosedError(`${this.#name} is closed. Open it again to use it.`);
  }
}

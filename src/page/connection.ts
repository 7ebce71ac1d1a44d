/** What a page has of a store: its calls, and the worker that they go to, be it the page's own or another's. Puts `Link`, `Leadership` and `Membership` together. */
import { InvalidArgumentError, NotFoundError, PlatformError } from '../errors.js';
import { clientLock, OP_FLUSH, randomName, RELEASE, type Hello, type StoreSettings, type Warned } from '../worker/protocol.js';
import { toldError, type ToldError } from '../worker/told-error.js';
import { Leadership, type Task } from './leadership.js';
import { Link, READ } from './link.js';
import { Membership } from './membership.js';
import type { WorkerOptions } from './start-worker.js';

/** How a store is opened from a page. */
export interface Access {
  readonly path: string;
  /** Whether other pages of the site reach it too: every store that has a file. */
  readonly isShared: boolean;
  readonly settings: StoreSettings;
  /** The options that all pages must agree on, as text. */
  readonly agreed: string;
  readonly worker: WorkerOptions;
  readonly onWarning: ((warning: Warned) => void) | undefined;
}

const noFiles = (cause?: unknown): PlatformError => new PlatformError("Stores with a file need Web Locks and files, which browsers give to secure pages alone, and not in a sandbox: serve it by https, or from localhost. ':memory:' needs neither.", { cause });

/** Holds a lock as long as this page is there, or until it is released; resolves when it is held. @throws PlatformError where the browser denies it, as to a page in a sandbox. */
function hold(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    navigator.locks.request(name, () => new Promise<void>((release) => resolve(release))).catch((error: unknown) => reject(noFiles(error)));
  });
}

export class Connection {
  readonly link: Link;
  readonly #access: Access;
  readonly #leadership: Leadership;
  #membership: Membership | undefined;
  #releaseClient: (() => void) | undefined;
  /** Whether this page has, or is about to have, the worker. */
  #isLeading = false;
  /** Whether the store was there once: then nobody makes it anew. */
  #wasServed = false;
  #isOpening = true;
  #onServed: (hello: Hello) => void = () => undefined;
  #onFailed: (error: Error) => void = () => undefined;
  #onClosed: ((error: Error | undefined) => void) | undefined;

  private constructor(access: Access) {
    this.#access = access;
    this.link = new Link(access.path, () => {
      // Whoever has the store may be of another release, and says so to each who asks.
      this.#membership?.ask();
      this.#leadership.seek();
    });
    this.#leadership = new Leadership(access.path, access.isShared, () => this.#task(), access.worker, {
      onGranted: async () => {
        this.#isLeading = true;
        await this.#membership?.lastAnswers();
        // The page may have been frozen meanwhile, and have gone on with another worker.
        if (!this.#isLeading) return;
        this.#membership?.leave();
        this.link.end();
      },
      onServing: (hello, post) => this.#served(hello, post, true),
      onRefused: (error) => this.#refused(error),
      onMessage: (message) => this.#hear(message),
      onEnded: () => {
        this.#isLeading = false;
        this.link.end();
        this.#membership?.ask();
        // A worker that ends while it is closing says no more.
        this.#onClosed?.(undefined);
      },
      onResumed: () => this.#membership?.ask(),
    });
  }

  /** Opens the store, or reaches the page that has it open. Rejects as `open` does. */
  static async open(access: Access): Promise<{ connection: Connection; hello: Hello }> {
    if (access.isShared && (globalThis.navigator?.locks === undefined || typeof BroadcastChannel === 'undefined')) throw noFiles();
    const connection = new Connection(access);
    try {
      return { connection, hello: await connection.#begin() };
    } catch (error) {
      connection.#end();
      throw error;
    }
  }

  async #begin(): Promise<Hello> {
    const { path, isShared } = this.#access;
    const served = new Promise<Hello>((resolve, reject) => {
      this.#onServed = resolve;
      this.#onFailed = reject;
    });
    if (isShared) {
      const client = randomName();
      this.#releaseClient = await hold(clientLock(path, client));
      this.#membership = new Membership(path, client, {
        onHere: (hello) => this.#here(hello),
        onClosing: () => this.link.pause(),
        onGone: () => this.link.end(),
        onMessage: (message) => this.#hear('answers' in message ? message.answers : { type: 'warning', warning: message.warning as Warned }),
      });
      this.#membership.ask();
    }
    this.#leadership.seek();
    const hello = await served;
    this.#isOpening = false;
    return hello;
  }

  #task(): Task {
    const { path, isShared, settings, agreed } = this.#access;
    if (!isShared && this.#wasServed) throw new NotFoundError(`The store has ended with its worker: open another one.`);
    return { path, isShared, agreed, settings: this.#wasServed ? { ...settings, create: false } : settings };
  }

  /** A worker of another page has spoken. */
  #here(hello: Hello): void {
    if (this.#isLeading || this.link.isClosed) return;
    if (hello.release !== RELEASE) {
      this.link.end();
      this.#membership!.leave();
      this.#refused(new PlatformError(`${this.#access.path} is open in a page of this site that runs another release of varve: reload that page.`));
      return;
    }
    if (hello.agreed !== this.#access.agreed) {
      this.#onFailed(new InvalidArgumentError(`${this.#access.path} is open in another page of this site with other options (${hello.agreed}): all pages open it with the same durability, flushInterval, flush, history, readOnly and salvage.`));
      if (this.#isOpening) return;
    }
    this.link.end();
    this.#served(hello, this.#membership!.join(hello), false);
  }

  #served(hello: Hello, post: (calls: ArrayBuffer) => void, isOwn: boolean): void {
    this.#wasServed = true;
    this.#onServed(hello);
    this.link.begin({ isOwn, post });
  }

  /** The store cannot be opened. Whoever waits is told; the next call tries anew. */
  #refused(error: Error): void {
    this.#onFailed(error);
    this.link.refuse(error);
  }

  #hear(message: ArrayBuffer | { type: 'warning'; warning: Warned } | { type: 'closed'; error: ToldError | undefined }): void {
    if (message instanceof ArrayBuffer) this.link.answer(message);
    else if (message.type === 'closed') this.#onClosed?.(message.error === undefined ? undefined : toldError(message.error));
    else {
      try {
        this.#access.onWarning?.(message.warning);
      } catch {
        // What a listener does wrong must not keep answers from those who wait.
      }
    }
  }

  /** Ends this page's part in order: everything that it has called is answered, and durable. The store itself is closed when this page has the worker, and goes on in the next page that waits for it. */
  async close(): Promise<void> {
    if (this.link.isClosed) return;
    try {
      await this.#finish();
    } finally {
      this.#end();
    }
  }

  async #finish(): Promise<void> {
    // Everything that was called, in this turn too, goes out before; what is not durable then becomes so.
    const flushed = this.link.call(READ, OP_FLUSH, () => undefined, () => undefined);
    this.link.seal();
    // A store that has stopped has told so those who waited.
    await flushed.catch(() => undefined);
    await this.link.idle();
    const closed = new Promise<Error | undefined>((resolve) => {
      this.#onClosed = resolve;
    });
    if (!this.#leadership.requestClose()) this.#membership?.bye();
    else {
      const error = await closed;
      if (error !== undefined) throw error;
    }
  }

  #end(): void {
    this.link.close();
    this.#leadership.close();
    this.#membership?.close();
    this.#releaseClient?.();
  }
}

/**
 * A worker that has a store and serves it: to the page that has started it, by messages that are handed over, and to the other pages of the site, by channels. From its beginning to its end it is one
 * *term* of the store, with a name of its own, so that nothing that was meant for one term can reach another.
 */
import { Desk } from './desk.js';
import * as protocol from './protocol.js';
import { openRaw, type RawStore, type Target } from './raw.js';
import { tellError } from './told-error.js';

/** For how long a closing worker waits for pages that do not say that nothing more comes from them: they are frozen, or about to end. In milliseconds. */
const DRAIN_PATIENCE = 500;

/** Another page, as long as it is there. */
interface Client {
  readonly desk: Desk;
  readonly channel: BroadcastChannel;
  isDrained: boolean;
}

/** What the worker can do to its page. */
export interface OwnPage {
  say(message: protocol.FromWorker): void;
  answer(answers: ArrayBuffer): void;
}

export class Host {
  readonly #page: OwnPage;
  readonly #path: string;
  readonly #store: RawStore;
  readonly #target: Target;
  readonly #hello: protocol.Hello;
  readonly #own: Desk;
  readonly #clients = new Map<string, Client>();
  readonly #control: BroadcastChannel | undefined;
  readonly #requests: BroadcastChannel | undefined;
  #onDrained: () => void = () => undefined;
  #isEnding = false;

  private constructor(page: OwnPage, path: string, store: RawStore, target: Target, hello: protocol.Hello, isShared: boolean) {
    this.#page = page;
    this.#path = path;
    this.#store = store;
    this.#target = target;
    this.#hello = hello;
    this.#own = new Desk(store, target, true, (answers) => page.answer(answers));
    if (!isShared) return;
    this.#control = new BroadcastChannel(protocol.controlName(path));
    this.#requests = new BroadcastChannel(protocol.termName(path, hello.term));
    this.#control.onmessage = ({ data }: MessageEvent<protocol.OnControl>) => {
      if (data.type === 'who' && !this.#isEnding) this.#announce();
    };
    this.#requests.onmessage = ({ data }: MessageEvent<protocol.OnTerm>) => this.#hear(data);
    this.#announce();
  }

  /** Opens the store and begins to serve it. Rejects as `open` does. */
  static async start(page: OwnPage, { path, settings, agreed, module, isShared }: protocol.ToWorker & { type: 'start' }): Promise<Host> {
    const target: Target = { answer: undefined };
    let host: Host | undefined;
    const store = await openRaw(path, settings, module, target, (warning) => host?.warn(warning));
    const hello = { release: protocol.RELEASE, term: protocol.randomName(), recovery: store.recovery, agreed };
    host = new Host(page, path, store, target, hello, isShared);
    page.say({ type: 'serving', hello });
    return host;
  }

  #announce(): void {
    this.#control?.postMessage({ type: 'here', hello: this.#hello } satisfies protocol.OnControl);
  }

  /** A message of calls of the own page. */
  handle(calls: ArrayBuffer): void {
    this.#own.handle(calls);
  }

  /** A message of another page. */
  #hear(message: protocol.OnTerm): void {
    const client = this.#clients.get(message.client) ?? this.#welcome(message.client);
    if ('calls' in message) {
      client.desk.handle(message.calls);
      return;
    }
    client.isDrained = message.type !== 'joined';
    if (message.type === 'bye') this.#forget(message.client);
    this.#onDrained();
  }

  #welcome(name: string): Client {
    const channel = new BroadcastChannel(protocol.clientName(this.#path, this.#hello.term, name));
    const say = (message: protocol.OnClient): void => channel.postMessage(message);
    const client = { desk: new Desk(this.#store, this.#target, false, (answers) => say({ answers })), channel, isDrained: false };
    this.#clients.set(name, client);
    // The lock is free when the page has ended, however it ended.
    void navigator.locks.request(protocol.clientLock(this.#path, name), { mode: 'shared' }, () => {
      this.#forget(name);
      this.#onDrained();
    });
    return client;
  }

  #forget(name: string): void {
    const client = this.#clients.get(name);
    if (client === undefined) return;
    this.#clients.delete(name);
    client.desk.end();
    client.channel.close();
  }

  warn(warning: protocol.Warned): void {
    this.#page.say({ type: 'warning', warning });
    for (const { channel } of this.#clients.values()) channel.postMessage({ warning } satisfies protocol.OnClient);
    // The store has stopped. Those who waited are told in this turn, and then it is another worker's.
    if (warning.code === 'VARVE_POISONED') setTimeout(() => void this.#fail(), 0);
  }

  async #fail(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    await this.#part();
    // The page ends this worker, and the file with it: a store that has stopped has nothing to write, and the handle of a file that is gone may not even close.
    this.#page.say({ type: 'failed' });
  }

  /** Answers what was called, and tells the pages that this term is over. */
  async #part(): Promise<void> {
    await Promise.all([this.#own, ...Array.from(this.#clients.values(), ({ desk }) => desk)].map((desk) => desk.idle()));
    for (const [name, { channel }] of this.#clients) {
      channel.postMessage({ type: 'gone' } satisfies protocol.OnClient);
      this.#forget(name);
    }
    this.#own.end();
    this.#control?.close();
    this.#requests?.close();
  }

  /** Ends in order: answers everything that was called by then, and makes it durable. Pages that are told so keep what they call from now on for the next term. */
  async close(): Promise<void> {
    if (this.#isEnding) return;
    this.#isEnding = true;
    this.#control?.postMessage({ type: 'closing', term: this.#hello.term } satisfies protocol.OnControl);
    await this.#drained();
    let error: unknown;
    try {
      await this.#part();
      await this.#store.close();
    } catch (thrown) {
      error = thrown;
    }
    this.#page.say({ type: 'closed', error: error === undefined ? undefined : tellError(error) });
  }

  /** Resolves when nothing more comes from other pages. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, DRAIN_PATIENCE);
      this.#onDrained = () => {
        if (Array.from(this.#clients.values()).some(({ isDrained }) => !isDrained)) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onDrained();
    });
  }
}

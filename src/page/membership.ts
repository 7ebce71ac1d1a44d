/** The way to the worker of another page: channels of the site, over which every message is copied. */
import { clientName, controlName, termName, type Hello, type OnClient, type OnControl, type OnTerm } from '../worker/protocol.js';

/** For how long the last answers of a closing worker are waited for when the next one has already spoken, in milliseconds. */
const LAST_ANSWERS_PATIENCE = 1000;

export interface MembershipEvents {
  /** A worker serves the store that is not the one whose messages came before. */
  onHere(hello: Hello): void;
  /** The worker of this page's messages takes no more of them. */
  onClosing(): void;
  /** That worker is gone. */
  onGone(): void;
  onMessage(message: OnClient & ({ answers: ArrayBuffer } | { warning: unknown })): void;
}

export class Membership {
  readonly #path: string;
  readonly #client: string;
  readonly #events: MembershipEvents;
  readonly #control: BroadcastChannel;
  #term: string | undefined;
  #requests: BroadcastChannel | undefined;
  #answers: BroadcastChannel | undefined;
  #isClosing = false;
  /** A worker that has spoken before the one that is closing has said its last. */
  #next: Hello | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Told when the closing worker has said its last. */
  #whenGone: (() => void) | undefined;

  constructor(path: string, client: string, events: MembershipEvents) {
    this.#path = path;
    this.#client = client;
    this.#events = events;
    this.#control = new BroadcastChannel(controlName(path));
    this.#control.onmessage = ({ data }: MessageEvent<OnControl>) => this.#hear(data);
  }

  /** Asks who has the store. Whoever does says `here`. */
  ask(): void {
    this.#control.postMessage({ type: 'who' } satisfies OnControl);
  }

  #hear(message: OnControl): void {
    if (message.type === 'here') this.#meet(message.hello);
    else if (message.type === 'closing' && message.term === this.#term) {
      this.#isClosing = true;
      this.#events.onClosing();
      this.#say({ client: this.#client, type: 'drained' });
    }
  }

  #meet(hello: Hello): void {
    if (hello.term === this.#term) return;
    if (!this.#isClosing) {
      this.#events.onHere(hello);
      return;
    }
    this.#next = hello;
    this.#expectGone();
  }

  #expectGone(): void {
    this.#timer ??= setTimeout(() => this.#gone(), LAST_ANSWERS_PATIENCE);
  }

  /** Resolves when nothing more is expected from the worker that this page has sent to: at once, unless it is closing in order. */
  async lastAnswers(): Promise<void> {
    if (!this.#isClosing) return;
    this.#expectGone();
    await new Promise<void>((resolve) => {
      this.#whenGone = resolve;
    });
  }

  #gone(): void {
    const next = this.#next;
    this.leave();
    this.#events.onGone();
    if (next !== undefined) this.#events.onHere(next);
  }

  #say(message: OnTerm): void {
    this.#requests?.postMessage(message);
  }

  /** Sends to a worker from now on. Returns what sends a message of calls. */
  join(hello: Hello): (calls: ArrayBuffer) => void {
    this.leave();
    this.#term = hello.term;
    this.#requests = new BroadcastChannel(termName(this.#path, hello.term));
    this.#answers = new BroadcastChannel(clientName(this.#path, hello.term, this.#client));
    this.#answers.onmessage = ({ data }: MessageEvent<OnClient>) => {
      if ('type' in data) this.#gone();
      else this.#events.onMessage(data);
    };
    // So that a worker that closes waits also for a page that has called nothing yet.
    this.#say({ client: this.#client, type: 'joined' });
    return (calls) => this.#say({ client: this.#client, calls });
  }

  /** Sends to nobody. */
  leave(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = undefined;
    this.#isClosing = false;
    this.#term = undefined;
    this.#requests?.close();
    this.#answers?.close();
    this.#requests = this.#answers = undefined;
    this.#whenGone?.();
    this.#whenGone = undefined;
  }

  /** Tells the worker that this page is done with the store. */
  bye(): void {
    this.#say({ client: this.#client, type: 'bye' });
  }

  close(): void {
    this.leave();
    this.#control.close();
  }
}

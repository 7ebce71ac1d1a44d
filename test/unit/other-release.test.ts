/** A page whose store goes over to a page of another release, with which it cannot speak: what it calls is refused, until that page is gone. */
import { afterEach, expect, test, vi } from 'vitest';
import { PlatformError, OutcomeUnknownError } from '../../src/errors.js';
import { Connection } from '../../src/page/connection.js';
import { READ, WRITE } from '../../src/page/link.js';
import { controlName, OP_GET, OP_PUT, RELEASE, termName, type Hello, type OnControl, type OnTerm } from '../../src/worker/protocol.js';

afterEach(() => vi.unstubAllGlobals());

const helloOf = (release: number, term: string): Hello => ({ release, term, recovery: {} as Hello['recovery'], agreed: '' });

/** The page that has the store, as far as others hear of it. */
class Leader {
  readonly #control: BroadcastChannel;
  hello: Hello;

  constructor(path: string, hello: Hello) {
    this.hello = hello;
    this.#control = new BroadcastChannel(controlName(path));
    this.#control.onmessage = ({ data }: MessageEvent<OnControl>) => {
      if (data.type === 'who') this.say();
    };
  }

  say(): void {
    this.#control.postMessage({ type: 'here', hello: this.hello } satisfies OnControl);
  }

  close(): void {
    this.#control.close();
  }
}

test('calls of a page that hears of a worker of another release once it has joined are refused, those on their way and those that follow', async () => {
  const path = 'other-release';
  // Its own lock is granted; that of whoever has the store never is.
  vi.stubGlobal('navigator', { locks: { request: async (name: string, ...rest: unknown[]) => (name.includes(':client:') ? (rest.at(-1) as () => Promise<void>)() : new Promise(() => undefined)) } });
  vi.stubGlobal('addEventListener', () => undefined);
  vi.stubGlobal('removeEventListener', () => undefined);
  const leader = new Leader(path, helloOf(RELEASE, 'first'));
  const requests = new BroadcastChannel(termName(path, 'first'));
  let arrived: () => void = () => undefined;
  const calls = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  requests.onmessage = ({ data }: MessageEvent<OnTerm>) => {
    if ('calls' in data) arrived();
  };
  const { connection } = await Connection.open({ path, isShared: true, settings: {} as never, agreed: '', worker: { worker: () => { throw new Error('no lock, no worker'); }, module: undefined }, onWarning: undefined });
  const { link } = connection;
  const outcomeOf = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
  const read = outcomeOf(link.call(READ, OP_GET, () => undefined, () => undefined));
  const write = outcomeOf(link.call(WRITE, OP_PUT, () => undefined, () => undefined));
  await calls;
  leader.hello = helloOf(RELEASE + 1, 'second');
  leader.say();
  expect(await read).toBeInstanceOf(PlatformError);
  expect(await write).toBeInstanceOf(OutcomeUnknownError);
  for (const fate of [READ, WRITE]) {
    const refused = await outcomeOf(link.call(fate, OP_GET, () => undefined, () => undefined));
    expect(refused).toBeInstanceOf(PlatformError);
    expect((refused as Error).message).toContain('another release');
  }
  // What comes after that page may be of this release again.
  leader.hello = helloOf(RELEASE, 'third');
  const again = new BroadcastChannel(termName(path, 'third'));
  const heard = new Promise((resolve) => {
    again.onmessage = ({ data }: MessageEvent<OnTerm>) => {
      if ('calls' in data) resolve(data);
    };
  });
  void outcomeOf(link.call(READ, OP_GET, () => undefined, () => undefined));
  await heard;
  link.close();
  for (const channel of [leader, requests, again]) channel.close();
});

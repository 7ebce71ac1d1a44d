/** The program of a worker that serves a store to pages, or restores one. What it does is in `host.ts` and `restoration.ts`; this file knows how a worker hears and speaks. */
import { Host, type OwnPage } from './host.js';
import type { FromWorker, ToWorker } from './protocol.js';
import { Restoration } from './restoration.js';
import { tellError } from './told-error.js';

/** The global of a dedicated worker, as far as it is used. */
interface Scope {
  onmessage: ((event: MessageEvent<ToWorker | ArrayBuffer>) => void) | null;
  postMessage(message: FromWorker | ArrayBuffer, transfer?: Transferable[]): void;
}

const scope = globalThis as unknown as Scope;
const page: OwnPage = {
  say: (message) => scope.postMessage(message),
  answer: (answers) => scope.postMessage(answers, [answers]),
};
let host: Host | undefined;
let restoration: Restoration | undefined;

scope.onmessage = ({ data }) => {
  const refuse = (error: unknown): void => page.say({ type: 'refused', error: tellError(error) });
  if (data instanceof ArrayBuffer) (host ?? restoration)?.handle(data);
  else if (data.type === 'close') {
    restoration?.abort();
    void host?.close();
  } else if (data.type === 'restore') {
    restoration = new Restoration(page.say);
    restoration.run(data).then((report) => page.say({ type: 'restored', report }), refuse);
  } else {
    Host.start(page, data).then((started) => {
      host = started;
    }, refuse);
  }
};

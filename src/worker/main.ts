/** The program of a worker that serves a store to pages. What it does is in `host.ts`; this file knows how a worker hears and speaks. */
import { Host, type OwnPage } from './host.js';
import type { FromWorker, ToWorker } from './protocol.js';
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

scope.onmessage = ({ data }) => {
  if (data instanceof ArrayBuffer) host?.handle(data);
  else if (data.type === 'close') void host?.close();
  else {
    Host.start(page, data).then((started) => {
      host = started;
    }, (error: unknown) => page.say({ type: 'refused', error: tellError(error) }));
  }
};

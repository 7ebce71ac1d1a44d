/** Whether the browser has promised to keep what a site stores. Only pages can ask it to. */

export class Persistence {
  /** False where nothing was promised, or nobody has answered yet. */
  isPromised = false;

  /** Looks, and asks where `asks` says so. Nobody waits for the answer: a browser may ask the person, who may never give one. */
  constructor(asks: boolean) {
    const { storage } = globalThis.navigator ?? {};
    if (typeof storage?.persisted !== 'function') return;
    const answer = asks && typeof storage.persist === 'function' ? storage.persist() : storage.persisted();
    answer.then((isPromised) => { this.isPromised = isPromised; }, () => undefined);
  }
}

/** The contestants of a page: workers, each with a heap, a compiler and garbage of its own, and the page itself. */
import { createContestant } from '../contest/commands.mjs';
import { preparing } from './contender.mjs';
import { indexedDb } from './subjects/indexeddb.mjs';
import { varveFromPage } from './subjects/varve-page.mjs';
import { unlessError, WorkerContestant } from './worker-contestant.mjs';

/** @type {Record<string, import('./subjects/subject.mjs').Subject>} */
const FROM_PAGE = { varve: varveFromPage, IndexedDB: indexedDb };

/** A subject that is reached from the page. */
class PageContestant {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
    this.answer = createContestant(preparing(FROM_PAGE[name]));
  }

  /** @param {object} message @returns {Promise<any>} */
  async ask(message) {
    return unlessError(await this.answer(message));
  }

  end() {
    // It was disposed of, and there is no worker of its own.
  }
}

/** @param {string} name @param {'worker' | 'page'} place */
export const enter = (name, place) => (place === 'worker' ? new WorkerContestant(name, '/bench-worker.js') : new PageContestant(name));

/** The page of the benchmark, which another program drives: contestants by name, and how soon stores open. */
import { enter } from './contestants.mjs';
import * as opening from './opening.mjs';

/** @type {Map<string, ReturnType<typeof enter>>} */
const contestants = new Map();

Object.assign(globalThis, {
  bench: {
    opening,
    /** @param {string} name @param {'worker' | 'page'} place */
    enter: (name, place) => void contestants.set(name, enter(name, place)),
    /** @param {string} name @param {object} message */
    ask: (name, message) => contestants.get(name)?.ask(message),
    end() {
      for (const contestant of contestants.values()) contestant.end();
      contestants.clear();
    },
  },
});

/** The page of the suites, which another program drives: one worker, in which a job runs. */
import { WorkerContestant } from './worker-contestant.mjs';

/** @type {WorkerContestant} */
let contestant;

Object.assign(globalThis, {
  bench: {
    /** @param {string} name */
    enter(name) {
      contestant = new WorkerContestant(name, '/suite-worker.js');
    },
    /** @param {string} _name @param {object} message */
    ask: (_name, message) => contestant.ask(message),
  },
});

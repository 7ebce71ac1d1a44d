/** The worker of one contestant: its name says which subject it is. Answers the messages of a contest, one at a time. */
import { createContestant } from '../contest/commands.mjs';
import { createPlan } from '../harness/sizes.mjs';
import { preparing } from './contender.mjs';
import { FLOORS } from './subjects/floor.mjs';
import { indexedDb } from './subjects/indexeddb.mjs';
import { sqlite } from './subjects/sqlite.mjs';
import { varve } from './subjects/varve.mjs';

/** @type {Record<string, (task: { group: string }, settings: any) => Promise<import('../contest/commands.mjs').Prepared>>} */
const PREPARING = {
  varve: preparing(varve),
  SQLite: preparing(sqlite),
  IndexedDB: preparing(indexedDb),
  OPFS: ({ group }, settings) => FLOORS[group](createPlan(settings)),
};

const answer = createContestant(PREPARING[self.name]);
self.onmessage = async ({ data }) => self.postMessage(await answer(data));

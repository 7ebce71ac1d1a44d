/** The worker of one job of a suite. Answers the messages of a contest, one at a time. */
import { createContestant } from '../contest/commands.mjs';
import { prepare } from '../contest/suite.mjs';

const answer = createContestant(prepare);
self.onmessage = async ({ data }) => self.postMessage(await answer(data));

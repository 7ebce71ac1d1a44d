/** The process of one contestant. What it can do is in the module that its first parameter names, which exports `prepare(task, settings)`. */
import { createContestant } from './commands.mjs';
import { readMessages, writeMessage } from './lines.mjs';

/** @typedef {import('./commands.mjs').Prepared} Prepared */

const [module] = process.argv.slice(2);
const { prepare } = await import(module);
const answer = createContestant(prepare);

readMessages(process.stdin, async (message) => writeMessage(process.stdout, await answer(message)));
// Who is not asked any more has nothing left to do; native libraries would keep the process.
process.stdin.on('end', () => process.exit(0));

/** The process of one job: is told which, runs it, and sends back what it measured. */
import { runJob } from './jobs.mjs';

process.once('message', async (/** @type {any} */ { suite, job, settings }) => {
  const outcome = await runJob(suite, job, settings);
  process.send?.(outcome, () => process.disconnect());
});

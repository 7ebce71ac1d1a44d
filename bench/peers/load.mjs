/** A process that fills a store of the subject that VARVE_BENCH_SUBJECT names, and either closes it, or says so and waits to be killed. */
import { createKeys } from '../harness/data.mjs';
import { fill } from './rows/store.mjs';
import { loadSubject } from './subjects/subject.mjs';

const [path, count, ending] = process.argv.slice(2);
const subject = await loadSubject(/** @type {import('./subjects/subject.mjs').SubjectName} */ (process.env.VARVE_BENCH_SUBJECT));
const handle = await subject.open(path, 'buffered');
await fill(handle, createKeys(Number(count)));
if (ending === 'close') {
  await handle.close();
  process.exit(0);
}
process.stdout.write('loaded\n');
setInterval(() => undefined, 1000);

/**
 * A process to be killed: loads a store, says `loaded`, and waits. `settled` flushes before it says so; `midway` says so at once, with up to a flush interval of
 * writes that only the operating system has.
 */
import { createKeys, valueFor } from './data.mjs';
import { open } from '../subjects/varve.mjs';

const [path, count, mode] = process.argv.slice(2);
const store = await open(path, { durability: 'buffered' });
const keys = createKeys(Number(count));
for (let index = 0; index < keys.length; index++) store.putSync(keys[index], valueFor(index));
await (mode === 'settled' ? store.flush() : undefined);
process.stdout.write('loaded\n');
setInterval(() => undefined, 1000);

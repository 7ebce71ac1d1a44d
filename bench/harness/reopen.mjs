/** A new process that opens a store: times `open` and the first `get`, then checks everything that must be there, and says what it found as JSON. */
import { createKeys } from './data.mjs';
import { mustBe } from './measure.mjs';
import { checkAll, open } from '../subjects/varve.mjs';

const [path, count] = process.argv.slice(2);
const keys = createKeys(Number(count));
const began = performance.now();
const store = await open(path, { durability: 'buffered' });
const value = store.get(keys[keys.length - 1]);
const milliseconds = performance.now() - began;
mustBe('a store that was not closed', store.recovery.clean, false);
checkAll(store, keys, (index) => ({ number: index, version: index + 1 }));
mustBe('the size of the last value', value.length, 100);
process.stdout.write(JSON.stringify({ milliseconds, recovery: store.recovery }));
await store.close();

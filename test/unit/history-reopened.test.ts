/** What a store that keeps a history still shows of it when it was opened again: what the log has, and nothing that it cannot know to be whole. */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { VersionGoneError } from '../../src/errors.js';
import { openStore } from '../support/stores.js';

const OPTIONS = { durability: 'relaxed', segmentSize: 4096, flushInterval: 3_600_000 } as const;

test('where segments were given up, no version from before the last close is shown (L3, T3)', async () => {
  const device = new MemoryDevice();
  const db = openStore(device, { ...OPTIONS, history: { versions: 3 } }, 1, true);
  for (let number = 0; number < 400; number++) {
    db.putSync(`key${number % 4}`, new Uint8Array(100).fill(number));
    if (number % 50 === 0) await db.flush();
  }
  const { version } = db.stats();
  expect(db.stats().log.segments, 'segments were given up').toBeLessThan(8);
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), { ...OPTIONS, history: { versions: 3 } }, 2, true);
  for (const gone of [1, 100, version - 20, version - 1]) expect(() => again.at(gone), `version ${gone}`).toThrow(VersionGoneError);
  expect(again.at(version).get('key3')).toEqual(new Uint8Array(100).fill(399));
  // What the log has of a key is its history all the same.
  expect([...again.history('key3')].map((change) => change.version)).toEqual([version, version - 4, version - 8]);
  again.putSync('key3', new Uint8Array(1));
  expect(again.at(version).get('key3')).toEqual(new Uint8Array(100).fill(399));
  await again.close();
});

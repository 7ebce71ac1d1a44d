/** A watch from a version on shows whole commits, also one that goes over several segments, in whichever of them the version ends (T6). */
import { expect, test } from 'vitest';
import { MemoryDevice } from '../../src/device/memory.js';
import { openStore } from '../support/stores.js';

const SEGMENT_SIZE = 4096;

test('a watch since the version before a commit over many segments begins with its first write', async () => {
  const device = new MemoryDevice();
  const options = { segmentSize: SEGMENT_SIZE, durability: 'relaxed', history: 'all' } as const;
  const db = openStore(device, options, 1, true);
  const versions = [db.putSync('before', 1)];
  for (let round = 0; round < 5; round++) {
    versions.push(db.batchSync(Array.from({ length: 9 }, (_, index) => ({ type: 'put' as const, key: `key${index}`, value: new Uint8Array(1300) }))));
    versions.push(db.putSync('between', round));
  }
  const expectWhole = async (store: typeof db): Promise<void> => {
    for (const [index, since] of versions.entries()) {
      const watcher = store.watch(undefined, { since });
      for (const version of versions.slice(index + 1)) {
        const { value } = await watcher.next();
        expect([value?.version, value?.changes.length]).toEqual([version, version % 2 === 0 ? 9 : 1]);
      }
      await watcher.return();
    }
  };
  expect(versions).toEqual(Array.from({ length: 11 }, (_, index) => index + 1));
  await expectWhole(db);
  await db.close();
  const again = openStore(new MemoryDevice(device.bytes()), options, 2, true);
  await expectWhole(again);
  await again.close();
});

/** Files of every format that was ever released are kept in the repository; this release opens them, shows what they held, and goes on with them (F-76). */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as format from '../../assembly/shared/format.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { GOLDEN_ENDS, GOLDEN_VERSIONS, goldenContent, goldenName } from '../support/golden.js';
import { openStore } from '../support/stores.js';

const fileOf = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`../golden/${name}`, import.meta.url)));
const contentOf = (name: string): string[] => readFileSync(new URL(`../golden/${name}.txt`, import.meta.url), 'utf8').trimEnd().split('\n');

test('there are golden files of every format up to this one', () => {
  expect(GOLDEN_VERSIONS).toEqual(Array.from({ length: format.FORMAT_VERSION }, (_, index) => index + 1));
});

for (const version of GOLDEN_VERSIONS) {
  for (const end of GOLDEN_ENDS) {
    const name = goldenName(version, end);
    test(`${name} is opened, shows what it held, and goes on (F-76)`, async () => {
      const device = new MemoryDevice(fileOf(name));
      const db = openStore(device, { create: false, history: 'all' }, 1, true);
      expect(goldenContent(db)).toEqual(contentOf(name));
      expect(db.recovery.clean).toBe(end === 'closed');
      await db.verify();
      const before = db.stats().version;
      expect(await db.put('new', 'value')).toBeGreaterThan(before);
      await db.delete('large');
      await db.close();
      const again = openStore(new MemoryDevice(device.bytes()), { create: false, history: 'all' }, 2, true);
      expect([again.get('new'), again.has('large'), again.get('counter')]).toEqual(['value', false, 1]);
      await again.verify();
      await again.close();
    });

    test(`${name} is read without a byte of it being changed`, async () => {
      const image = fileOf(name);
      const device = new MemoryDevice(image);
      const db = openStore(device, { readOnly: true, history: 'all' });
      expect(goldenContent(db)).toEqual(contentOf(name));
      expect(Buffer.compare(device.bytes(), image)).toBe(0);
      await db.close();
    });
  }
}

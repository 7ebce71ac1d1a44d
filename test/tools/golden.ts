/**
 * `node test/run.mjs golden` writes the golden files of the newest format, once, when a version of the format is released; it overwrites none. What they hold is written beside them, as the release that made them read it.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FORMAT_VERSION } from '../../assembly/shared/format.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { GOLDEN_ENDS, goldenContent, goldenName, makeGolden } from '../support/golden.js';
import { SimulatedDisk } from '../support/simulated-disk.js';
import { openStore } from '../support/stores.js';

const folder = new URL('../golden/', import.meta.url);
mkdirSync(folder, { recursive: true });
for (const end of GOLDEN_ENDS) {
  const name = goldenName(FORMAT_VERSION, end);
  const path = fileURLToPath(new URL(name, folder));
  if (existsSync(path)) {
    process.stdout.write(`${name} is there already: the files of a format that was released never change\n`);
    continue;
  }
  let disk = new SimulatedDisk();
  await makeGolden(() => (disk = disk.processRestart()), end);
  const image = disk.processImage();
  writeFileSync(path, image);
  const content = goldenContent(openStore(new MemoryDevice(image), { history: 'all' }));
  writeFileSync(`${path}.txt`, `${content.join('\n')}\n`);
  process.stdout.write(`${name}: ${image.length} bytes, ${content.length} lines\n`);
}

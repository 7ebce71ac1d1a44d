/** Counts which branches of the shipped core a test file takes, and leaves the counts in the folder that `VARVE_COVERAGE` names: a setup file of the tests, for `node test/run.mjs coverage`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { CountedCore } from './counted-core.js';

const folder = process.env['VARVE_COVERAGE']!;
const core = CountedCore.shared('none');
core.install({ isTotalled: true });

afterAll(() => {
  writeFileSync(join(folder, `${process.pid}-${performance.now()}`), new Uint8Array(core.total().map((count) => (count === 0 ? 0 : 1))));
});

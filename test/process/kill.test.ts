/** Writers that are killed: `kill -9` of a process, `terminate` of a thread. `node test/run.mjs kill` is the long form. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MODES, runLives, textOf, type ModeName } from '../support/killing.js';
import { seedOf } from '../support/random.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-kill-'));
const figures: string[] = [];
let hasFailed = false;
afterAll(() => {
  process.stdout.write(figures.map((line) => `${line}\n`).join(''));
  // The store that somebody will want to look at stays.
  if (!hasFailed) rmSync(folder, { recursive: true, force: true });
});

for (const [habitat, what, count] of [['process', 'kill -9', 100], ['thread', 'worker.terminate()', 24]] as const) {
  test(`${what}, again and again: nothing that was promised is lost, commits are whole, in order, and no version is issued twice (F-08, F-62, L6, T1, T17)`, async () => {
    const began = performance.now();
    try {
      const result = await runLives({
        folder, habitat, seed: seedOf(33), modes: Object.keys(MODES) as ModeName[], replay: 'npx vitest run test/process/kill.test.ts', goesOn: (lives) => lives < count,
      });
      figures.push(`${what}: ${textOf(result, performance.now() - began)}`);
      expect(result.lives).toBe(count);
      expect(result.acknowledged).toBeGreaterThan(count * 5);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  });
}

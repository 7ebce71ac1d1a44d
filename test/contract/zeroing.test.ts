/** The queue that zeroes slots in the background, where the platform fails it: what was not flushed, or was written in part, is never called done (F-41, F-42). */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { startZeroing } from '../../src/device/node-zeroing.js';
import { bundle } from '../support/bundle.js';
import { waitFor } from './device.js';

const folder = mkdtempSync(join(tmpdir(), 'varve-zeroing-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('a range whose flush fails is not completed', () => {
  // It takes every write, and no flush.
  const descriptor = openSync('/dev/null', 'r+');
  const queue = startZeroing(descriptor)!;
  queue.zero(0, 4096);
  expect(waitFor(() => queue.failure() !== undefined || queue.completed() > 0)).toBe(true);
  expect([queue.completed(), queue.failure()]).toMatchObject([0, { kind: 'io', operation: 'flush' }]);
  queue.stop();
  closeSync(descriptor);
});

test('where threads do not share descriptors there is no queue', () => {
  const descriptor = openSync(join(folder, 'own'), 'w+');
  Object.assign(globalThis, { Deno: {} });
  try {
    expect(startZeroing(descriptor)).toBe(undefined);
  } finally {
    Reflect.deleteProperty(globalThis, 'Deno');
    closeSync(descriptor);
  }
});

test('a range of which a write took only a part is gone on with, and is full where no more can be written', () => {
  const script = join(folder, 'child.mjs');
  bundle(join(folder, 'zeroing.mjs'), 'src/device/node-zeroing.ts');
  // The limit binds a whole process, so a child meets it: of the second range, the first half has room.
  writeFileSync(script, `
    import { openSync } from 'node:fs';
    import { startZeroing } from './zeroing.mjs';
    const queue = startZeroing(openSync(${JSON.stringify(join(folder, 'file'))}, 'w+'));
    queue.zero(0, 1024);
    const pause = new Int32Array(new SharedArrayBuffer(4));
    while (queue.completed() < 1) Atomics.wait(pause, 0, 0, 1);
    queue.zero(1024, 65536);
    while (queue.completed() < 2 && queue.failure() === undefined) Atomics.wait(pause, 0, 0, 1);
    process.stdout.write([queue.completed(), queue.failure()?.kind].join());
    queue.stop();`);
  const { stdout, stderr } = spawnSync('sh', ['-c', 'ulimit -f 16 && exec "$0" "$1"', process.execPath, script], { encoding: 'utf8', timeout: 60_000 });
  expect(stdout, stderr).toBe('1,full');
});

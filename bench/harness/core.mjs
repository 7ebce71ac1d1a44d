/**
 * The core's part of recovery, timed alone. What is timed is the two calls into the core that recovery makes once the segments stand in linear memory: `scan`, which
 * checks the hashes and the meaning of every frame, and `link`, which shows every record in the index. Reading the file and copying into linear memory are
 * not in it. The pieces of the package that surround these calls are bundled from the sources, because the package does not export them.
 */
import { build } from 'esbuild';
import { fileURLToPath } from 'node:url';
import { mustBe } from './measure.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const ENTRY = `
export { Engine } from './src/engine/engine.ts';
export { LogFile } from './src/durability/log-file.ts';
export { recoverLog } from './src/durability/recover.ts';
export { Space } from './src/codec/space.ts';
export { codecByName } from './src/codec/value.ts';
`;

/** A device over bytes in memory, as much of it as recovery asks for. @param {Uint8Array} bytes */
function memoryDevice(bytes) {
  return {
    name: 'memory', readOnly: false,
    size: () => bytes.length,
    read: (/** @type {Uint8Array} */ target, /** @type {number} */ offset) => {
      const part = bytes.subarray(offset, offset + target.length);
      target.set(part);
      return part.length;
    },
    write: (/** @type {Uint8Array} */ source, /** @type {number} */ start, /** @type {number} */ length, /** @type {number} */ offset) => {
      bytes.set(source.subarray(start, start + length), offset);
    },
    flushSync: () => undefined,
    flush: async () => undefined,
    truncate: () => undefined,
    close: () => undefined,
  };
}

/**
 * Loads the pieces. `recover` recovers a file's bytes and says how long the core took, in milliseconds, and how many records it believed; `check` reads every key back.
 */
export async function createCoreRecovery() {
  const bundle = await build({
    stdin: { contents: ENTRY, resolveDir: root, loader: 'ts' }, bundle: true, format: 'esm', platform: 'neutral', target: 'es2022', write: false, logLevel: 'warning',
    mainFields: ['module', 'main'], conditions: ['import'],
  });
  const { Engine, LogFile, recoverLog, Space, codecByName } = await import(`data:text/javascript;base64,${Buffer.from(bundle.outputFiles[0].contents).toString('base64')}`);

  const space = new Space(undefined, undefined, codecByName('bytes'));

  const recover = (/** @type {Uint8Array} */ bytes) => {
    const device = memoryDevice(bytes.slice());
    const engine = new Engine(device.name, { initial: 2 ** 28, limit: 2 ** 32 }, () => Date.now());
    const times = { scan: 0, link: 0 };
    const { core } = engine;
    const timed = (/** @type {'scan' | 'link'} */ name) => () => {
      const began = performance.now();
      const status = core[name]();
      times[name] = performance.now() - began;
      return status;
    };
    engine.core = { ...core, scan: timed('scan'), link: timed('link') };
    const log = new LogFile(engine, device, () => Date.now());
    const began = performance.now();
    const recovery = recoverLog(engine, device, log, { writable: true, salvage: false, entropy: crypto.getRandomValues(new Uint8Array(32)) });
    const all = performance.now() - began;
    return { ...times, all, records: recovery.records, engine };
  };

  const check = (/** @type {ReturnType<typeof recover>} */ { engine, records }, /** @type {string[]} */ keys, /** @type {(index: number) => Uint8Array} */ expected) => {
    mustBe('records recovered', records, keys.length);
    keys.forEach((key, index) => {
      mustBe(`the version of key ${index} after recovery`, engine.find(key, space) < 0 ? 0 : engine.foundVersion, index + 1);
      mustBe(`the value of key ${index} after recovery`, Buffer.compare(engine.get(key, space), expected(index)), 0);
    });
  };
  return { recover, check };
}

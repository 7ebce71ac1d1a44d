/**
 * The page that shows the store at work, served on this machine: `npm run demo` builds it and prints its address; `--port N` takes another port than 5177. Also the site that its tests drive.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { print, run } from '../../bench/harness/command.mjs';
import { bundle, contestFiles, serve } from '../../bench/browser/site.mjs';
import { readCities } from '../start/cities.mjs';

/** Nothing but what the site itself gives. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** @param {string} name */
const read = (name) => readFileSync(new URL(name, import.meta.url));

/** The answers of the site, by path. */
export async function demoFiles() {
  const cities = readCities(Infinity).map(({ cityId, name, country, population }) => [cityId, name, country, population]);
  return {
    '/': { body: read('index.html'), type: 'text/html; charset=utf-8', headers: { 'content-security-policy': POLICY } },
    '/style.css': { body: read('style.css'), type: 'text/css; charset=utf-8' },
    '/icon.svg': { body: read('icon.svg'), type: 'image/svg+xml' },
    '/cities.json': { body: JSON.stringify(cities), type: 'application/json' },
    ...await bundle({ demo: 'examples/demo/main.ts' }),
    ...await contestFiles(),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await run(async () => {
    const { values } = parseArgs({ options: { port: { type: 'string', default: '5177' } } });
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('--port takes a whole number from 0 to 65,535.');
    const { address } = await serve(await demoFiles(), port).catch((error) => {
      throw error.code === 'EADDRINUSE' ? new Error(`Port ${port} is taken. Give another: npm run demo -- --port 0`) : error;
    });
    print(`varve in a browser: ${address}\nOpen it in two tabs. Ctrl+C ends it.`);
  });
}

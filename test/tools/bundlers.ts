/**
 * The packed library in every bundler, and in workerd: `npm run test:bundlers [-- name …]`. Each folder of test/bundlers/projects is a project of its own, into which the tarball is installed; it is built as its
 * package says, opened in Chromium, and opened again. Exits with 1 when one does not build, warns, or does not keep what it was given.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'puppeteer-core';
import { launch } from '../browser/browsers.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const source = join(root, 'test/bundlers');
const installed = join(source, 'node_modules');
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.html': 'text/html', '.wasm': 'application/wasm' };
/** For how long a server may take to answer, in milliseconds. */
const PATIENCE = 60_000;
/** From when on a worker of workerd has FinalizationRegistry. */
const COMPATIBILITY_DATE = '2025-05-05';
const CITIES = ['Bergen', 'Oslo', 'Tromsø'];

/** How a project comes to be a page, or a worker. */
interface Trial {
  readonly name: string;
  readonly project: string;
  /** The script of its package that builds it, if any. */
  readonly script: 'build' | 'dev' | undefined;
  /** The folder that is served. */
  readonly served: string;
}

const page = (name: string, served = '.'): Trial => ({ name, project: name, script: 'build', served });
const TRIALS: readonly Trial[] = [
  { name: 'none', project: 'none', script: undefined, served: '.' },
  page('vite', 'dist'),
  { name: 'vite-dev', project: 'vite', script: 'dev', served: '.' },
  page('webpack'), page('rspack'), page('esbuild'), page('rollup'), page('rolldown'),
  page('parcel', 'dist'),
  page('workerd', 'dist'),
];

function runOrThrow(command: string, parameters: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, parameters, { cwd, encoding: 'utf8', shell: process.platform === 'win32' });
  if (status !== 0) throw new Error(`${command} ${parameters.join(' ')} failed in ${cwd}: ${error?.message ?? ''}\n${stdout}\n${stderr}`);
  return stdout;
}

/** Installs the bundlers, packs the library, and installs it as a project does. Returns the folder in which projects are. */
function prepare(): string {
  const lock = join(installed, '.package-lock.json');
  if (!existsSync(lock) || statSync(lock).mtimeMs < statSync(join(source, 'package-lock.json')).mtimeMs) runOrThrow('npm', ['ci', '--no-audit', '--no-fund'], source);
  const folder = mkdtempSync(join(tmpdir(), 'varve-bundlers-'));
  const [{ filename }] = JSON.parse(runOrThrow('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], root)) as [{ filename: string }];
  renameSync(join(folder, filename), join(folder, 'varve.tgz'));
  // The tools are found above the projects, and the library within each.
  symlinkSync(installed, join(folder, 'node_modules'), 'dir');
  cpSync(join(source, 'projects/none'), join(folder, 'first'), { recursive: true });
  runOrThrow('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], join(folder, 'first'));
  return folder;
}

function addProject(folder: string, { name, project }: Trial): string {
  const path = join(folder, name);
  cpSync(join(source, 'projects', project), path, { recursive: true });
  cpSync(join(folder, 'first/node_modules'), join(path, 'node_modules'), { recursive: true });
  cpSync(join(source, 'main.js'), join(path, 'main.js'));
  return path;
}

async function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://localhost');
    try {
      const path = join(folder, pathname === '/' ? 'index.html' : decodeURIComponent(pathname));
      const bytes = readFileSync(path);
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream' }).end(bytes);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve));
  return server;
}

const addressOf = (server: Server): string => `http://localhost:${(server.address() as AddressInfo).port}/`;

/** Starts a server of the project's own. Its port is one that was free a moment ago. */
async function serveByScript(path: string): Promise<{ address: string; child: ChildProcess }> {
  const probe = await serve(path);
  const address = addressOf(probe);
  await new Promise((resolve) => probe.close(resolve));
  const child = spawn(join(installed, '.bin/vite'), ['--strictPort', '--port', new URL(address).port], { cwd: path, stdio: ['ignore', 'ignore', 'inherit'] });
  for (const end = Date.now() + PATIENCE; ;) {
    try {
      await fetch(address);
      return { address, child };
    } catch (error) {
      if (Date.now() > end || child.exitCode !== null) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function check(is: unknown, expected: unknown, what: string): void {
  if (JSON.stringify(is) !== JSON.stringify(expected)) throw new Error(`${what} came to ${JSON.stringify(is)} instead of ${JSON.stringify(expected)}.`);
}

/** What the program of a page has come to. */
async function outcomeOf(tab: Page): Promise<unknown> {
  await tab.waitForFunction(() => 'outcome' in globalThis, { timeout: PATIENCE });
  return tab.evaluate(() => (globalThis as unknown as { outcome: Promise<unknown> }).outcome);
}

/** Opens a page, and opens it again: what it kept must be there. */
async function visitPage(browser: Browser, address: string): Promise<void> {
  const tab = await browser.newPage();
  const complaints: string[] = [];
  tab.on('pageerror', (error) => complaints.push(String(error)));
  tab.on('console', (message) => {
    // Nobody asks for a picture of the page but the browser.
    if (['error', 'warn'].includes(message.type()) && !message.location().url?.endsWith('favicon.ico')) complaints.push(message.text());
  });
  await tab.goto(address);
  const oslo = { name: 'Oslo', index: 0 };
  check(await outcomeOf(tab), { after: 1, cities: CITIES, oslo, exported: CITIES.length }, 'The first visit');
  await tab.reload();
  check(await outcomeOf(tab), { before: 1, after: 2, cities: CITIES, oslo, exported: CITIES.length }, 'The second visit');
  check(complaints, [], 'What the browser complains of');
  await tab.close();
}

/** What is used of miniflare, whose package is not that of the project. */
interface Workerd {
  dispatchFetch(address: string): Promise<{ text(): Promise<string> }>;
  dispose(): Promise<void>;
}

async function visitWorkerd(folder: string): Promise<void> {
  const { Miniflare } = createRequire(join(source, 'package.json'))('miniflare') as { Miniflare: new (options: object) => Workerd };
  const workerd = new Miniflare({ modules: true, modulesRoot: folder, scriptPath: join(folder, 'worker.js'), modulesRules: [{ type: 'CompiledWasm', include: ['**/*.wasm'] }], compatibilityDate: COMPATIBILITY_DATE });
  const ask = async (path: string): Promise<string> => (await workerd.dispatchFetch(`http://localhost/${path}`)).text();
  try {
    check(await ask('one'), JSON.stringify({ visits: 1, paths: [['/one', 1]] }), 'The first request');
    check(await ask('another'), JSON.stringify({ visits: 2, paths: [['/another', 2], ['/one', 1]] }), 'The second request');
  } finally {
    await workerd.dispose();
  }
}

async function attempt(trial: Trial, folder: string, browser: Browser): Promise<void> {
  const path = addProject(folder, trial);
  if (trial.script === 'dev') {
    const { address, child } = await serveByScript(path);
    try {
      await visitPage(browser, address);
    } finally {
      child.kill();
    }
    return;
  }
  if (trial.script === 'build') runOrThrow('npm', ['run', 'build', '--silent'], path);
  if (trial.name === 'workerd') return visitWorkerd(join(path, trial.served));
  const server = await serve(join(path, trial.served));
  try {
    await visitPage(browser, addressOf(server));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const names = process.argv.slice(2);
const trials = TRIALS.filter(({ name }) => names.length === 0 || names.includes(name));
const unknown = [...names.filter((name) => !TRIALS.some((trial) => trial.name === name)), ...readdirSync(join(source, 'projects')).filter((name) => !TRIALS.some(({ project }) => project === name))];
if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', no ')}. There are ${TRIALS.map(({ name }) => name).join(', ')}.`);

const began = Date.now();
const folder = prepare();
const browser = await launch('chromium', join(folder, 'profile'));
let failures = 0;
try {
  for (const trial of trials) {
    const start = Date.now();
    try {
      await attempt(trial, folder, browser);
      process.stdout.write(`${trial.name}: keeps what it is given (${((Date.now() - start) / 1000).toFixed(1)} s)\n`);
    } catch (error) {
      failures++;
      process.stdout.write(`${trial.name}: FAILED. ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
process.stdout.write(`${trials.length - failures} of ${trials.length} in ${((Date.now() - began) / 1000).toFixed(0)} s\n`);
process.exitCode = failures === 0 ? 0 : 1;

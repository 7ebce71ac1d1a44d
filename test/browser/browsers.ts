/** The browsers that the tests drive: those of the operating system, without a window, each with a profile that lasts from one start to the next. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';

export type BrowserName = 'chromium' | 'firefox';

const PATHS: Readonly<Record<BrowserName, readonly string[]>> = {
  chromium: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'],
  firefox: ['/usr/bin/firefox-esr', '/usr/bin/firefox'],
};
const CHROMIUM_FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage',
];

/** Where a browser is: where `VARVE_CHROMIUM` or `VARVE_FIREFOX` says, or where distributions put it; undefined where there is none. */
export function pathOf(name: BrowserName): string | undefined {
  return [process.env[`VARVE_${name.toUpperCase()}`], ...PATHS[name]].find((path) => path !== undefined && existsSync(path));
}

/** Starts a browser on the profile in a folder, which it makes; Chromium with flags beside its usual ones. */
export async function launch(name: BrowserName, profile: string, flags: readonly string[] = []): Promise<Browser> {
  try {
    return await start(name, profile, flags);
  } catch (error) {
    // The driver may still be putting the file away that it changed for the browser before, which was killed.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return start(name, profile, flags);
  }
}

function start(name: BrowserName, profile: string, flags: readonly string[]): Promise<Browser> {
  mkdirSync(profile, { recursive: true });
  // The driver keeps a copy of this file of a profile, and expects it in one that was used before.
  if (name === 'firefox') writeFileSync(join(profile, 'user.js'), '', { flag: 'a' });
  return puppeteer.launch({
    browser: name === 'firefox' ? 'firefox' : 'chrome',
    executablePath: pathOf(name)!,
    userDataDir: profile,
    headless: true,
    protocolTimeout: 600_000,
    timeout: 120_000,
    // After it was killed, a browser would otherwise ask what to do about it.
    extraPrefsFirefox: { 'toolkit.startup.max_resumed_crashes': -1, 'browser.sessionstore.resume_from_crash': false },
    args: name === 'chromium' ? [...CHROMIUM_FLAGS, ...flags] : [],
  });
}

/** Ends a browser and everything that it has started, at once, as the kernel does when there is no memory left. */
export async function kill(browser: Browser): Promise<void> {
  const child = browser.process()!;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  for (const pid of [...descendantsOf(child.pid!), child.pid!]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  await gone;
}

/** The processes that a process has started, those first that were started last. */
function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      // Behind the name in parentheses, which may hold anything, stand a letter and the number of the parent.
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
    } catch {
      // It has ended meanwhile.
    }
  }
  const walk = (from: number): number[] => (parents.get(from) ?? []).flatMap((child) => [...walk(child), child]);
  return walk(pid);
}

/** Opens a page. */
export async function openPage(browser: Browser, address: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(address);
  return page;
}

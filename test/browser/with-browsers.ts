/** Tests that need a browser, and what is said of them where there is none. */
import { describe, test } from 'vitest';
import { pathOf, type BrowserName } from './browsers.js';

const PACKAGES: Readonly<Record<BrowserName, string>> = { chromium: 'chromium', firefox: 'firefox-esr' };

/** Defines tests for each browser. One that is not installed is said to be skipped; where `CI` is set it fails. */
export function withBrowsers(names: readonly BrowserName[], define: (name: BrowserName) => void): void {
  for (const name of names) {
    if (pathOf(name) !== undefined) {
      describe(name, () => define(name));
      continue;
    }
    const missing = `${name} is not installed (on Debian: apt-get install ${PACKAGES[name]}; or set VARVE_${name.toUpperCase()} to its path)`;
    if (process.env['CI'] === 'true') test(name, () => { throw new Error(missing); });
    else {
      process.stdout.write(`SKIPPED, because ${missing}.\n`);
      test.skip(`${name} is not installed`, () => undefined);
    }
  }
}

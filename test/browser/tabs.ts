/** Pages that the tests drive: each has the library as `varve`, and its open stores by name. */
import type { Browser, Page } from 'puppeteer-core';
import type * as varve from '../../src/browser.js';
import { openPage } from './browsers.js';
import { page, type Site } from './site.js';

/** What is there in a page of the tests. */
export interface TabGlobals {
  readonly varve: typeof varve;
  db: varve.SharedStore;
  /** Anything that a test leaves for its next step. */
  kept: any;
}

/** Adds the page that tabs open. */
export function addTabPage(site: Site, path = '/tab', headers: Readonly<Record<string, string>> = {}): void {
  // A file of the site, so that a page whose policy allows nothing else has it too.
  site.addScript('/tab.js', "import * as varve from '/dist/browser.js'; window.varve = varve; window.kept = {}; window.isReady = true;");
  site.add(path, { ...page('', headers), body: '<!doctype html><meta charset="utf-8"><title>varve</title><script type="module" src="/tab.js"></script>' });
}

export class Tab {
  readonly page: Page;

  private constructor(tab: Page) {
    this.page = tab;
  }

  static async open(browser: Browser, site: Site, path = '/tab'): Promise<Tab> {
    const tab = new Tab(await openPage(browser, site.address(path)));
    await tab.ready();
    return tab;
  }

  async ready(): Promise<void> {
    await this.page.waitForFunction(() => (window as unknown as { isReady?: boolean }).isReady === true);
  }

  /** Runs a function in the page, where `window` has what `TabGlobals` says. */
  run<T, A>(action: (argument: A) => T | Promise<T>, argument?: A): Promise<T> {
    return this.page.evaluate(action as (argument: unknown) => T | Promise<T>, argument) as Promise<T>;
  }

  /** Opens a store as `db`. */
  async openStore(path: string, options: object = {}): Promise<void> {
    await this.run(async ([name, given]) => {
      const tab = window as unknown as TabGlobals;
      tab.db = await tab.varve.open(name as string, given as object);
    }, [path, options]);
  }

  async close(): Promise<void> {
    await this.page.close();
  }
}

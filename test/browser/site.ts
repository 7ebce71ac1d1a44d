/** A small site on this machine, for the browsers of the tests: pages and scripts from memory, bundled from the project's sources, and the files that its build makes. */
import { build, type Plugin } from 'esbuild';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Answer {
  readonly body: string | Uint8Array;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const TYPES: Readonly<Record<string, string>> = { js: 'text/javascript', wasm: 'application/wasm', html: 'text/html' };

/** The core of pages in place of the one that programs have: it has to pass every suite too. */
const withSmallCore: Plugin = {
  name: 'with-small-core',
  setup: (build) => {
    build.onResolve({ filter: /build\/wasm\.js$/ }, () => ({ path: 'small', namespace: 'with-small-core' }));
    build.onLoad({ filter: /.*/, namespace: 'with-small-core' }, () => {
      const text = Array.from(readFileSync(join(root, 'build/varve.small.wasm')), (byte) => String.fromCharCode(byte + 35)).join('');
      return { contents: `export const wasmText = ${JSON.stringify(text)};` };
    });
  },
};

/** A script for browsers, bundled from a source of the project; suites get what stands for vitest and for Node. */
export async function bundleForBrowser(entry: string): Promise<string> {
  const alias = { vitest: join(root, 'test/browser/runner.ts'), 'node:fs': join(root, 'test/browser/files.ts') };
  const result = await build({
    stdin: { contents: `import './${entry}'; export { run } from './test/browser/runner.ts';`, resolveDir: root, loader: 'ts' }, bundle: true, format: 'esm', platform: 'browser', target: 'es2022', charset: 'utf8', write: false, ignoreAnnotations: true, alias, plugins: [withSmallCore], define: { 'process.env': '{}' }, logLevel: 'error',
  });
  return result.outputFiles[0]!.text;
}

/** A page that runs a script of type module. */
export function page(script: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { body: `<!doctype html><meta charset="utf-8"><title>varve</title><script type="module">${script}</script>`, type: TYPES['html']!, headers };
}

export class Site {
  readonly #server: Server;
  readonly #answers = new Map<string, Answer>();

  private constructor() {
    this.#server = createServer((request, response) => {
      const { pathname } = new URL(request.url!, 'http://localhost');
      const answer = this.#answers.get(pathname) ?? built(pathname);
      if (answer === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': answer.type, 'cache-control': 'no-store', ...answer.headers }).end(answer.body);
    });
  }

  static async start(): Promise<Site> {
    const site = new Site();
    await new Promise<void>((resolve) => site.#server.listen(0, '127.0.0.1', resolve));
    return site;
  }

  /** The address of a path of this site. Localhost counts as secure without a certificate. */
  address(path: string): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}${path}`;
  }

  add(path: string, answer: Answer): void {
    this.#answers.set(path, answer);
  }

  addScript(path: string, body: string): void {
    this.add(path, { body, type: TYPES['js']! });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A file that the build has made, under the path that it has in the project. */
function built(path: string): Answer | undefined {
  const [, folder, name = ''] = /^\/(build|dist)\/([\w.-]+)$/.exec(path) ?? [];
  if (folder === undefined) return undefined;
  try {
    return { body: readFileSync(join(root, folder, name)), type: TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream' };
  } catch {
    return undefined;
  }
}

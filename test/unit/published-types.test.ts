/** The types as the package gives them to programs: they check under every setting that a program may have, its own look into declarations (`skipLibCheck: false`) among them. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ENTRIES = ['varve', 'varve/direct', 'varve/browser'];
const RESOLUTIONS = [
  { name: 'nodenext', module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
  { name: 'bundler', module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler },
];
/** What a program knows of its surroundings, and whether that has streams and signals. */
const SURROUNDINGS = [
  { lib: ['es2022'], types: [], isComplete: false },
  { lib: ['es2020'], types: [], isComplete: false },
  { lib: ['es2022'], types: ['node'], isComplete: true },
  { lib: ['es2022', 'dom'], types: [], isComplete: true },
  { lib: ['es2022', 'dom'], types: ['node'], isComplete: true },
  { lib: ['es2022', 'webworker'], types: [], isComplete: true },
  { lib: ['esnext', 'dom', 'dom.asynciterable'], types: ['node'], isComplete: true },
];

/** What any program can say. */
const program = (entry: string): string => `import { InvalidArgumentError, open } from '${entry}';
export async function run(): Promise<number | undefined> {
  await using db = await open<number>(':memory:', { durability: 'relaxed', memory: { limit: 2 ** 24 } });
  await db.put('a', 1);
  using snapshot = db.snapshot();
  for await (const { changes } of db.watch({ prefix: 'a' }, { since: 0 })) if (changes.length > 0) break;
  const cause: unknown = new InvalidArgumentError('why', { cause: 1 }).cause;
  return cause === undefined ? await snapshot.get('a') : 0;
}
// @ts-expect-error A store of numbers takes no texts.
export const wrong = async () => (await open<number>(':memory:')).put('a', 'b');
`;
/** And what takes the platform's own signals and streams. */
const streaming = (entry: string): string => `import { open } from '${entry}';
export async function copy(signal: AbortSignal, file: WritableStream<Uint8Array>): Promise<void> {
  const db = await open(':memory:');
  await db.backup(file, { signal });
  const { value } = await db.export({ signal }).getReader().read();
  const bytes: Uint8Array | undefined = value;
  await db.import(db.export(), { signal });
  // @ts-expect-error A text is no signal.
  await db.compact({ signal: 'now' });
  console.log(bytes?.length);
}
`;

let folder: string;
const files = new Map<string, ts.SourceFile | undefined>();

/** A host that parses a file once for all programs in which it has the same format. */
function hostOf(options: ts.CompilerOptions): ts.CompilerHost {
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  host.getSourceFile = (name, target, ...more) => {
    const id = `${name} ${typeof target === 'object' ? target.impliedNodeFormat : ''}`;
    if (!files.has(id)) files.set(id, getSourceFile(name, target, ...more));
    return files.get(id);
  };
  return host;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'varve-types-'));
  for (const [name, target] of [['varve', root], ['@types', join(root, 'node_modules/@types')]] as const) {
    const path = join(folder, 'node_modules', name);
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path, 'junction');
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const entry of ENTRIES) {
    const name = entry.replace('/', '-');
    writeFileSync(join(folder, `${name}.ts`), program(entry));
    writeFileSync(join(folder, `${name}-streaming.ts`), streaming(entry));
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(RESOLUTIONS)('with moduleResolution $name', ({ module, moduleResolution }) => {
  test.each(SURROUNDINGS)('a program checks that has lib $lib and types $types', ({ lib, types, isComplete }) => {
    for (const entry of ENTRIES) {
      const name = join(folder, entry.replace('/', '-'));
      const options: ts.CompilerOptions = {
        module, moduleResolution, types, typeRoots: [join(folder, 'node_modules/@types')], lib: lib.map((part) => `lib.${part}.d.ts`), target: ts.ScriptTarget.ES2022,
        strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, noEmit: true,
      };
      const checked = ts.createProgram(isComplete ? [`${name}.ts`, `${name}-streaming.ts`] : [`${name}.ts`], options, hostOf(options));
      const told = ts.getPreEmitDiagnostics(checked).map(({ file, messageText }) => `${file?.fileName ?? ''}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`);
      expect(told, entry).toEqual([]);
    }
  });
});

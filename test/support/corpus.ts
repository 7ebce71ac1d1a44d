/**
 * The inputs that are kept in the repository, in `test/corpus/<target>`: those that together reach all that was ever reached, and, named `found-`, those that once showed a bug. Each
 * is deflated, because files of a store are mostly zeros, and named by the hash of its content.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { FuzzTarget } from './fuzzer.js';

const FOUND = 'found-';

function folderOf(target: string): string {
  return fileURLToPath(new URL(`../../test/corpus/${target}/`, import.meta.url));
}

export function nameOf(input: Uint8Array): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16);
}

/** The kept inputs of a target, by the names of their files. */
export function readCorpus(target: string): Map<string, Uint8Array> {
  const folder = folderOf(target);
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  return new Map(names.map((name) => [name, new Uint8Array(inflateRawSync(readFileSync(join(folder, name))))]));
}

function write(folder: string, name: string, input: Uint8Array): void {
  writeFileSync(join(folder, name), deflateRawSync(input, { level: 9 }));
}

/** Keeps an input that shows a bug. Returns the path of its file. */
export function keepFinding(target: string, input: Uint8Array): string {
  const folder = folderOf(target);
  mkdirSync(folder, { recursive: true });
  const name = `${FOUND}${nameOf(input)}`;
  write(folder, name, input);
  return join(folder, name);
}

/** Of inputs, the smallest that together reach every counter that any of them reaches. */
async function cover(target: FuzzTarget, inputs: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const reached = new Set<number>();
  const chosen: Uint8Array[] = [];
  for (const input of [...inputs].sort((one, other) => one.length - other.length)) {
    target.clear();
    await target.run(input);
    const counts = target.read();
    const before = reached.size;
    for (let index = 0; index < counts.length; index++) if (counts[index] !== 0) reached.add(index);
    if (reached.size > before) chosen.push(input);
  }
  return chosen;
}

/** Replaces the corpus of a target by a cover of it and more inputs; what once showed a bug stays. Returns how many inputs it has. */
export async function keepCorpus(target: FuzzTarget, inputs: readonly Uint8Array[]): Promise<number> {
  const folder = folderOf(target.name);
  mkdirSync(folder, { recursive: true });
  const kept = [...readCorpus(target.name)];
  const chosen = await cover(target, [...kept.map(([, input]) => input), ...inputs]);
  for (const [name] of kept) if (!name.startsWith(FOUND)) rmSync(join(folder, name));
  for (const input of chosen) write(folder, nameOf(input), input);
  return readdirSync(folder).length;
}

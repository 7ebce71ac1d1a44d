/** A planted bug: one place of the source, what stands there instead, and the tests that must notice. */

export interface Mutant {
  /** What it does wrong, in a few words: its name on the command line. */
  readonly name: string;
  /** The promises that it breaks, and the faults that it no longer survives. */
  readonly breaks: readonly string[];
  /** The source file, from the root of the project. */
  readonly file: string;
  /** What stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
  /** The test files expected to notice, from `test` on and without `.test.ts`, in the order in which they are asked. */
  readonly tests: readonly string[];
  /** Of these, only the tests whose titles match. */
  readonly only?: string;
  /** It is of those that every test rig must find within a minute. */
  readonly isClassic?: boolean;
  /** Not to come back is a way to notice it. */
  readonly mayHang?: boolean;
  /** Why it may survive: what it takes away, something else does too. */
  readonly changesNothing?: string;
}

/** The planted bugs of one part of the store. */
export interface Area {
  readonly name: string;
  readonly mutants: readonly Mutant[];
}

/** The path of a test file. */
export function testPath(name: string): string {
  return `test/${name}.test.ts`;
}

/** The text of a file with the bug in it. Throws where the anchor does not occur, or occurs again. */
export function plant(mutant: Mutant, text: string): string {
  const at = text.indexOf(mutant.find);
  if (at < 0) throw new Error(`${mutant.name}: ${mutant.file} does not hold the text that it replaces`);
  if (text.includes(mutant.find, at + 1)) throw new Error(`${mutant.name}: ${mutant.file} holds the text that it replaces more than once`);
  return text.slice(0, at) + mutant.replace + text.slice(at + mutant.find.length);
}

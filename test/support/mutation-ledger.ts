/**
 * What became of planted bugs, in a file with one line for each that was examined, so that a run can be broken off and gone on with. A line counts as long as nothing has changed that it tells of:
 * of a bug that was noticed its entry in the list, the source file that it is in and the test file that noticed; of one that was not, everything.
 */
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Mutant } from './mutant.js';

const PROJECT = fileURLToPath(new URL('../../', import.meta.url));
const NAME = 'build/mutants.jsonl';
/** What can change how a test ends. */
const FOLDERS = ['assembly', 'src', 'test'];
/** What says which bugs there are, and not how a test ends. */
const LISTS = 'test/mutants';

/** How a planted bug fared. */
export interface Outcome {
  readonly name: string;
  readonly verdict: 'caught' | 'survived' | 'broken';
  /** The test file that noticed, from the root of the project, or undefined where none did. */
  readonly file: string | undefined;
  /** The title of the test that noticed, or what went wrong. */
  readonly text: string;
  /** How long the tests ran until then. */
  readonly seconds: number;
}

interface Line extends Outcome {
  readonly place: string;
  readonly tree: string;
}

function digestOf(...texts: readonly string[]): string {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(`${text.length}:`).update(text);
  return hash.digest('hex').slice(0, 16);
}

function filesOf(root: string, folder: string): string[] {
  if (folder === LISTS) return [];
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesOf(root, path) : [path];
  }).sort();
}

export class MutationLedger {
  /** Everything that can change how a test ends, as it was when this process began: work goes on meanwhile. */
  readonly #texts: ReadonlyMap<string, string>;
  readonly #tree: string;
  readonly #path: string;

  constructor(root = PROJECT) {
    this.#texts = new Map(FOLDERS.flatMap((folder) => filesOf(root, folder)).map((path) => [path, readFileSync(join(root, path), 'utf8')]));
    this.#tree = digestOf(...[...this.#texts].flat());
    this.#path = join(root, NAME);
  }

  /** What is known of the bugs of a list, and still holds. */
  read(mutants: readonly Mutant[]): Map<string, Outcome> {
    const byName = new Map(mutants.map((mutant) => [mutant.name, mutant]));
    const known = new Map<string, Outcome>();
    if (!existsSync(this.#path)) return known;
    for (const text of readFileSync(this.#path, 'utf8').split('\n')) {
      if (text === '') continue;
      const { place, tree, ...outcome } = JSON.parse(text) as Line;
      const mutant = byName.get(outcome.name);
      if (mutant === undefined || place !== this.#placeOf(mutant, outcome.file)) continue;
      if (tree === this.#tree || outcome.verdict === 'caught') known.set(outcome.name, outcome);
      else known.delete(outcome.name);
    }
    return known;
  }

  /** Writes down what became of a bug, at once. */
  add(mutant: Mutant, outcome: Outcome): void {
    const line: Line = { ...outcome, place: this.#placeOf(mutant, outcome.file), tree: this.#tree };
    mkdirSync(dirname(this.#path), { recursive: true });
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
  }

  #placeOf(mutant: Mutant, file: string | undefined): string {
    const { find, replace, tests, only = '' } = mutant;
    return digestOf(mutant.file, find, replace, only, ...tests, this.#texts.get(mutant.file) ?? '', this.#texts.get(file ?? '') ?? '');
  }
}

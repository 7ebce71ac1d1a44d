/** What became of the planted bugs, as a table and as figures. */
import { testPath, type Area, type Mutant } from './mutant.js';
import type { Outcome } from './mutation-ledger.js';

/** Within how many seconds a bug is to be found. Of the classic ones, that every rig must find, it is a failure where that takes longer. */
const LIMIT = 60;
const WIDTH = 62;

interface Row {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const nameOf = ({ name, isClassic = false }: Mutant): string => `${name}${isClassic ? ' *' : ''}`;

/** Whether a bug was noticed by a file that its entry in the list does not name. */
function isUnnamed({ mutant, outcome }: Row): boolean {
  return outcome.verdict === 'caught' && outcome.file !== undefined && !mutant.tests.some((test) => testPath(test) === outcome.file);
}

/** Prints the list itself. */
export function printList(mutants: readonly Mutant[]): void {
  for (const { name, breaks, file, tests } of mutants) print(`${name.padEnd(WIDTH)} ${breaks.join(' ').padEnd(16)} ${file}  ${tests.join(' ')}`);
}

/** Prints what became of a bug, when it was examined. */
export function printOutcome(number: number, count: number, { verdict, seconds, name, text }: Outcome): void {
  print(`${String(number).padStart(3)} of ${count}  ${verdict.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s  ${name}${verdict === 'broken' ? `: ${text}` : ''}`);
}

function printTable(rows: readonly Row[]): void {
  print(`\n${'planted bug'.padEnd(WIDTH)} ${'breaks'.padEnd(16)} ${'seconds'.padStart(7)}  noticed by`);
  for (const { mutant, outcome } of rows) {
    const by = outcome.verdict === 'caught' ? `${outcome.file ?? ''}: ${outcome.text}` : outcome.verdict.toUpperCase();
    print(`${nameOf(mutant).padEnd(WIDTH)} ${mutant.breaks.join(' ').padEnd(16)} ${outcome.seconds.toFixed(1).padStart(7)}  ${by}`);
  }
}

/** Prints the figures of each area of which anything was examined. */
function printAreas(areas: readonly Area[], rows: readonly Row[]): void {
  print(`\n${'area'.padEnd(14)} planted  examined  noticed  within ${LIMIT} s  survived`);
  for (const { name, mutants } of areas) {
    const ofArea = rows.filter(({ mutant }) => mutants.includes(mutant));
    const caught = ofArea.filter(({ outcome }) => outcome.verdict === 'caught');
    const figures = [mutants.length, ofArea.length, caught.length, caught.filter(({ outcome }) => outcome.seconds <= LIMIT).length, ofArea.filter(({ outcome }) => outcome.verdict === 'survived').length];
    const widths = [7, 10, 9, 13, 10];
    if (ofArea.length > 0) print(`${name.padEnd(14)} ${figures.map((figure, index) => String(figure).padStart(widths[index]!)).join('')}`);
  }
}

/** Prints the table and the figures. Returns the code with which the tool ends: 2 where the list is wrong, 1 where a bug survives that does harm, or a classic one took too long, and otherwise 0. */
export function report(areas: readonly Area[], mutants: readonly Mutant[], outcomes: ReadonlyMap<string, Outcome>, carriedCount: number, minutes: number): number {
  const rows = mutants.flatMap((mutant) => (outcomes.has(mutant.name) ? [{ mutant, outcome: outcomes.get(mutant.name)! }] : []));
  const of = (verdict: Outcome['verdict']): Row[] => rows.filter(({ outcome }) => outcome.verdict === verdict);
  const caught = of('caught');
  const survived = of('survived');
  const harmful = survived.filter(({ mutant }) => mutant.changesNothing === undefined);
  const late = caught.filter(({ outcome }) => outcome.seconds > LIMIT);
  const times = caught.map(({ outcome }) => outcome.seconds).sort((left, right) => left - right);
  const share = (part: number): string => (times[Math.min(times.length - 1, Math.floor(times.length * part))] ?? 0).toFixed(1);
  printTable(rows);
  printAreas(areas, rows);
  print(`\nplanted bugs: ${mutants.length}, examined ${rows.length} (${carriedCount} of them earlier), noticed ${caught.length}, survived ${survived.length}, of which ${survived.length - harmful.length} change nothing; ` +
    `found within ${LIMIT} s: ${caught.length - late.length}, half of them within ${share(0.5)} s, nine tenths within ${share(0.9)} s, the slowest after ${share(1)} s; ${minutes.toFixed(1)} minutes`);
  for (const { mutant } of survived) print(`survived: ${mutant.name} (${mutant.breaks.join(', ')}; ${mutant.file})${mutant.changesNothing === undefined ? '' : `, and changes nothing: ${mutant.changesNothing}`}`);
  for (const { mutant } of caught) if (mutant.changesNothing !== undefined) print(`noticed, though it is said to change nothing: ${mutant.name}`);
  for (const { mutant, outcome } of late) print(`took longer than ${LIMIT} s: ${nameOf(mutant)}, ${outcome.seconds.toFixed(1)} s`);
  for (const { mutant, outcome } of rows.filter(isUnnamed)) print(`noticed only by a test that the list does not name: ${mutant.name}, ${outcome.file}`);
  for (const { outcome } of of('broken')) print(`wrong in the list: ${outcome.name}: ${outcome.text}`);
  if (of('broken').length > 0) return 2;
  return harmful.length > 0 || late.some(({ mutant }) => mutant.isClassic === true) ? 1 : 0;
}

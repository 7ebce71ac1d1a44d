/**
 * Counters in the shipped core: one for each entry of a function, each turn of a loop, and each of the two ways that an `if`, a `br_if` and a `select` can go. Bytes are only put in
 * between, so what runs is the module that users get, instruction by instruction, and each counter knows the place in it that it stands for. The counters are imported globals
 * (`coverage.0`, `coverage.1`, …): they lie outside the memory of the core, and instances may share them.
 *
 * The module gains three exports. `readCounters(pointer)` stores all of them there, 32 bits each; `clearCounters` makes them zero; `resetGlobals` gives the core's own globals the
 * values that they began with. With limits, a loop that turns or an export that is called more often
 * than any file can justify stops with a trap: so a hang is found too.
 */
import {
  BLOCK_EMPTY, EXTERNAL_FUNCTION, EXTERNAL_GLOBAL, EXTERNAL_MEMORY, OP_BLOCK, OP_BR_IF, OP_BR_TABLE, OP_ELSE, OP_END, OP_GLOBAL_GET, OP_GLOBAL_SET, OP_I32_CONST, OP_I64_CONST, OP_IF,
  OP_LOCAL_GET, OP_LOCAL_TEE, OP_LOOP, OP_SELECT, SECTION_CODE, SECTION_EXPORT, SECTION_FUNCTION, SECTION_GLOBAL, SECTION_IMPORT, SECTION_TYPE, TYPE_I32,
  WasmReader, concatenate, moduleOf, named, readInstruction, sectionsOf, signed, unsigned, type Instruction,
} from './wasm-code.js';

export type ArmKind = 'function' | 'loop' | 'then' | 'else' | 'taken' | 'not taken' | 'first' | 'second';

/** What a counter counts. */
export interface Arm {
  readonly kind: ArmKind;
  /** The index of the function in the module. */
  readonly function: number;
  /** Where the instruction stands in the module, in bytes. */
  readonly offset: number;
  /** Whether it does nothing but stop the core: what an assertion that fails does. */
  readonly isTrap: boolean;
}

/** Whether an arm is one of the ways that a branch can go. */
export function isBranch(arm: Arm): boolean {
  return arm.kind !== 'function' && arm.kind !== 'loop';
}

export interface Instrumented {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** By the number of the counter. */
  readonly arms: readonly Arm[];
  /** Every integer constant of the code: what its comparisons may wait for. */
  readonly constants: readonly bigint[];
  /** The exported name of a function, where it has one. */
  readonly exports: ReadonlyMap<number, string>;
}

export const COUNTER_MODULE = 'coverage';
/** More turns of one loop in one run are a hang: a segment of 16 MiB is looked through in two million. */
export const TURNS_MAX = 1 << 26;
/** More calls of one export in one run are a hang of whoever calls. */
const CALLS_MAX = 1 << 20;
const OP_UNREACHABLE = 0x00;
const OP_I32_STORE = 0x36;
const OP_I32_EQZ = 0x45;
const OP_I32_NE = 0x47;
const OP_I32_GT_U = 0x4b;
const OP_I32_ADD = 0x6a;

type Bytes = readonly number[];

/** Which counters have a limit, beyond which the core traps: none, those of loops and exports, or all but those of `br_if` and `select`. */
export type Limits = 'none' | 'for hangs' | 'for all';

class Instrumentation {
  readonly arms: Arm[] = [];
  readonly constants = new Set<bigint>();
  readonly #exports: ReadonlyMap<number, string>;
  readonly #limits: Limits;

  constructor(exports: ReadonlyMap<number, string>, limits: Limits) {
    this.#exports = exports;
    this.#limits = limits;
  }

  #newArm(kind: ArmKind, index: number, offset: number, isTrap = false): number {
    this.arms.push({ kind, function: index, offset, isTrap });
    return this.arms.length - 1;
  }

  #hit(global: number): Bytes {
    return [OP_GLOBAL_GET, ...unsigned(global), OP_I32_CONST, 1, OP_I32_ADD, OP_GLOBAL_SET, ...unsigned(global)];
  }

  /** Counts, and traps beyond a limit. */
  #hitWithin(global: number, limit: number): Bytes {
    if (this.#limits === 'none') return this.#hit(global);
    return [
      ...this.#hit(global), OP_GLOBAL_GET, ...unsigned(global), OP_I32_CONST, ...signed(limit), OP_I32_GT_U, OP_IF, BLOCK_EMPTY, OP_UNREACHABLE, OP_END,
    ];
  }

  /** Counts an arm that no hang needs a limit for. */
  #hitArm(global: number): Bytes {
    return this.#limits === 'for all' ? this.#hitWithin(global, TURNS_MAX) : this.#hit(global);
  }

  /** Counts which way a condition on the stack will lead, and leaves it there. */
  #choose(local: number, whenSet: number, whenClear: number): Bytes {
    return [
      OP_LOCAL_TEE, ...unsigned(local), OP_I32_CONST, 0, OP_I32_NE, OP_GLOBAL_GET, ...unsigned(whenSet), OP_I32_ADD, OP_GLOBAL_SET, ...unsigned(whenSet),
      OP_LOCAL_GET, ...unsigned(local), OP_I32_EQZ, OP_GLOBAL_GET, ...unsigned(whenClear), OP_I32_ADD, OP_GLOBAL_SET, ...unsigned(whenClear),
      OP_LOCAL_GET, ...unsigned(local),
    ];
  }

  /** The body of a function with its counters. `renumber` gives the index that a global has now, `parameterCount` is how many locals come before its own. */
  body(index: number, body: Uint8Array, offset: number, parameterCount: number, renumber: (global: number) => number): Uint8Array {
    const reader = new WasmReader(body);
    const groups = reader.vector(() => ({ count: reader.number(), type: reader.byte() }));
    const local = parameterCount + groups.reduce((sum, { count }) => sum + count, 0);
    const exported = this.#exports.has(index);
    const entry = this.#newArm('function', index, offset + reader.at);
    const parts: (Uint8Array | Bytes)[] = [
      unsigned(groups.length + 1), groups.flatMap(({ count, type }) => [...unsigned(count), type]), [1, TYPE_I32],
      exported ? this.#hitWithin(entry, CALLS_MAX) : this.#hitArm(entry),
    ];
    /** For each open block, the counter that an `if` still lacks for its other way. */
    const open: (number | undefined)[] = [];
    while (reader.at < body.length) this.#copy(readInstruction(reader), { index, body, offset, local, parts, open, renumber });
    return concatenate(parts);
  }

  #copy(instruction: Instruction, into: {
    index: number; body: Uint8Array; offset: number; local: number; parts: (Uint8Array | Bytes)[]; open: (number | undefined)[]; renumber: (global: number) => number;
  }): void {
    const { index, body, local, parts, open } = into;
    const { opcode, constant } = instruction;
    const at = into.offset + instruction.start;
    const itself = body.subarray(instruction.start, instruction.end);
    if (constant !== undefined) this.constants.add(constant);
    switch (opcode) {
      case OP_BLOCK:
        open.push(undefined);
        break;
      case OP_LOOP:
        open.push(undefined);
        parts.push(itself, this.#hitWithin(this.#newArm('loop', index, at), TURNS_MAX));
        return;
      case OP_IF: {
        const then = this.#newArm('then', index, at, body[instruction.end] === OP_UNREACHABLE);
        open.push(this.#newArm('else', index, at));
        parts.push(itself, this.#hitArm(then));
        return;
      }
      case OP_ELSE: {
        const other = open.pop()!;
        open.push(undefined);
        parts.push(itself, this.#hitArm(other));
        return;
      }
      case OP_END: {
        const other = open.pop();
        // An `if` without `else` has no result, so an `else` that counts can be put in.
        if (other !== undefined) parts.push([OP_ELSE], this.#hitArm(other));
        break;
      }
      case OP_BR_IF:
        parts.push(this.#choose(local, this.#newArm('taken', index, at), this.#newArm('not taken', index, at)));
        break;
      case OP_SELECT:
        parts.push(this.#choose(local, this.#newArm('first', index, at), this.#newArm('second', index, at)));
        break;
      case OP_BR_TABLE:
        throw new Error('the core has a br_table now, whose arms the instrumentation does not count yet');
      case OP_GLOBAL_GET:
      case OP_GLOBAL_SET:
        parts.push([opcode, ...unsigned(into.renumber(instruction.immediate))]);
        return;
    }
    parts.push(itself);
  }
}

interface GlobalDeclaration {
  readonly isMutable: boolean;
  /** The instructions that give its first value, with the end. */
  readonly initial: Uint8Array;
}

function readGlobals(content: Uint8Array): GlobalDeclaration[] {
  const reader = new WasmReader(content);
  return reader.vector(() => {
    reader.byte();
    const isMutable = reader.byte() === 1;
    const start = reader.at;
    const value = readInstruction(reader);
    if (value.constant === undefined && value.opcode < OP_I64_CONST) throw new Error('a global of the core begins with something else than a constant');
    const end = readInstruction(reader);
    return { isMutable, initial: content.subarray(start, end.start) };
  });
}

/** How many parameters each type of a function takes. */
function readParameterCounts(content: Uint8Array): number[] {
  const reader = new WasmReader(content);
  return reader.vector(() => {
    reader.byte();
    const parameters = reader.vector(() => reader.byte());
    reader.vector(() => reader.byte());
    return parameters.length;
  });
}

function readExports(content: Uint8Array): Map<number, string> {
  const reader = new WasmReader(content);
  const names = new Map<number, string>();
  reader.vector(() => {
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.number();
    if (kind === EXTERNAL_FUNCTION) names.set(index, name);
    else throw new Error(`the core exports ${name}, which is no function`);
  });
  return names;
}

/** A vector that has more elements: their count is raised, and the bytes of the new ones put at its end. */
function append(content: Uint8Array, count: number, more: Bytes | Uint8Array): Uint8Array {
  const reader = new WasmReader(content);
  const before = reader.number();
  return concatenate([unsigned(before + count), content.subarray(reader.at), more]);
}

/** How many functions a module imports: they come before its own. */
function countImportedFunctions(content: Uint8Array): number {
  const reader = new WasmReader(content);
  let count = 0;
  reader.vector(() => {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === EXTERNAL_FUNCTION) {
      reader.number();
      count++;
      return;
    }
    if (kind !== EXTERNAL_MEMORY) throw new Error('the core imports more than functions and its memory');
    const hasMaximum = reader.byte() === 1;
    reader.number();
    if (hasMaximum) reader.number();
  });
  return count;
}

/** Puts counters into a module that imports functions and its memory, and nothing else; `hasLimits` for runs whose counters are cleared between inputs. */
export function instrument(module: Uint8Array, limits: Limits): Instrumented {
  const sections = sectionsOf(module);
  const contentOf = (id: number): Uint8Array => {
    const section = sections.find((candidate) => candidate.id === id);
    if (section === undefined) throw new Error(`the core has no section ${id}`);
    return section.content;
  };
  const parameterCounts = readParameterCounts(contentOf(SECTION_TYPE));
  const types = new WasmReader(contentOf(SECTION_FUNCTION));
  const typeOf = types.vector(() => types.number());
  const globals = readGlobals(contentOf(SECTION_GLOBAL));
  const exports = readExports(contentOf(SECTION_EXPORT));
  const imported = countImportedFunctions(contentOf(SECTION_IMPORT));

  // Imported globals come before those of the module. Their count is known only when all code was read, so a first pass counts.
  const build = (counterCount: number): { counters: Instrumentation; code: Uint8Array } => {
    const counters = new Instrumentation(exports, limits);
    const codeSection = sections.find(({ id }) => id === SECTION_CODE)!;
    const reader = new WasmReader(codeSection.content);
    const bodies: (Uint8Array | Bytes)[] = [];
    const count = reader.number();
    for (let index = 0; index < count; index++) {
      const size = reader.number();
      const offset = codeSection.offset + reader.at;
      const body = counters.body(index + imported, reader.take(size), offset, parameterCounts[typeOf[index]!]!, (global) => global + counterCount);
      bodies.push(unsigned(body.length), body);
    }
    const all = Array.from({ length: counterCount }, (_, index) => index);
    const extras: Bytes[] = [
      [0, ...all.flatMap((index) => [OP_LOCAL_GET, 0, OP_GLOBAL_GET, ...unsigned(index), OP_I32_STORE, 2, ...unsigned(4 * index)]), OP_END],
      [0, ...all.flatMap((index) => [OP_I32_CONST, 0, OP_GLOBAL_SET, ...unsigned(index)]), OP_END],
      [0, ...globals.flatMap(({ isMutable, initial }, index) => (isMutable ? [...initial, OP_GLOBAL_SET, ...unsigned(index + counterCount)] : [])), OP_END],
    ];
    for (const extra of extras) bodies.push(unsigned(extra.length), extra);
    return { counters, code: concatenate([unsigned(count + extras.length), ...bodies]) };
  };
  const counterCount = build(0).counters.arms.length;
  const { counters, code } = build(counterCount);

  const functionType = parameterCounts.length;
  const first = typeOf.length + imported;
  const changed = new Map<number, Uint8Array>([
    [SECTION_TYPE, append(contentOf(SECTION_TYPE), 2, [0x60, 0, 0, 0x60, 1, TYPE_I32, 0])],
    [SECTION_IMPORT, append(contentOf(SECTION_IMPORT), counterCount,
      concatenate(counters.arms.map((_, index) => [...named(COUNTER_MODULE), ...named(`${index}`), EXTERNAL_GLOBAL, TYPE_I32, 1])))],
    [SECTION_FUNCTION, append(contentOf(SECTION_FUNCTION), 3, [functionType + 1, functionType, functionType].flatMap(unsigned))],
    [SECTION_EXPORT, append(contentOf(SECTION_EXPORT), 3,
      ['readCounters', 'clearCounters', 'resetGlobals'].flatMap((name, index) => [...named(name), EXTERNAL_FUNCTION, ...unsigned(first + index)]))],
    [SECTION_CODE, code],
  ]);
  return {
    bytes: moduleOf(sections.filter(({ id }) => id !== 0).map(({ id, content }) => ({ id, content: changed.get(id) ?? content }))),
    arms: counters.arms, constants: [...counters.constants], exports,
  };
}

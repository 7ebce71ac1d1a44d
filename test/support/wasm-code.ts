/**
 * WebAssembly's binary format, as far as the instrumentation of the core needs it: numbers, sections, and the instructions of a function one by one. Covers what the core is
 * compiled to (the first version, bulk memory, sign extension, saturating conversion) and refuses every other opcode, so nothing is ever skipped by guessing.
 */

export const OP_BLOCK = 0x02;
export const OP_LOOP = 0x03;
export const OP_IF = 0x04;
export const OP_ELSE = 0x05;
export const OP_END = 0x0b;
export const OP_BR_IF = 0x0d;
export const OP_BR_TABLE = 0x0e;
export const OP_CALL = 0x10;
export const OP_SELECT = 0x1b;
const OP_SELECT_TYPED = 0x1c;
export const OP_LOCAL_GET = 0x20;
export const OP_LOCAL_SET = 0x21;
export const OP_LOCAL_TEE = 0x22;
export const OP_GLOBAL_GET = 0x23;
export const OP_GLOBAL_SET = 0x24;
const OP_MEMORY_SIZE = 0x3f;
const OP_MEMORY_GROW = 0x40;
export const OP_I32_CONST = 0x41;
export const OP_I64_CONST = 0x42;
const OP_F32_CONST = 0x43;
const OP_F64_CONST = 0x44;
const OP_PREFIX = 0xfc;
export const TYPE_I32 = 0x7f;
export const BLOCK_EMPTY = 0x40;

export const SECTION_TYPE = 1;
export const SECTION_IMPORT = 2;
export const SECTION_FUNCTION = 3;
export const SECTION_GLOBAL = 6;
export const SECTION_EXPORT = 7;
export const SECTION_CODE = 10;
export const EXTERNAL_MEMORY = 2;
export const EXTERNAL_FUNCTION = 0;
export const EXTERNAL_GLOBAL = 3;

/** Reads along bytes. */
export class WasmReader {
  constructor(readonly bytes: Uint8Array, public at: number = 0) {}

  byte(): number {
    const byte = this.bytes[this.at++];
    if (byte === undefined) throw new Error('the module ends too early');
    return byte;
  }

  /** An unsigned number of up to 32 bits. */
  number(): number {
    for (let value = 0, unit = 1; ; unit *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * unit;
      if (byte < 0x80) return value;
    }
  }

  /** A signed number of up to 64 bits. */
  signed(): bigint {
    let value = 0n;
    let shift = 0n;
    for (;;) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      shift += 7n;
      if (byte < 0x80) return (byte & 0x40) !== 0 ? value - (1n << shift) : value;
    }
  }

  take(size: number): Uint8Array {
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  /** A vector of names, types or whatever `read` reads. */
  vector<T>(read: () => T): T[] {
    return Array.from({ length: this.number() }, read);
  }

  name(): string {
    return new TextDecoder().decode(this.take(this.number()));
  }
}

/** An unsigned number, in as few bytes as it takes. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  bytes.push(value);
  return bytes;
}

/** A signed number, as constants are written. */
export function signed(value: number): number[] {
  const bytes: number[] = [];
  for (; value < -0x40 || value >= 0x40; value = Math.floor(value / 0x80)) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value & 0x7f);
  return bytes;
}

export function named(name: string): number[] {
  const bytes = new TextEncoder().encode(name);
  return [...unsigned(bytes.length), ...bytes];
}

export interface Section {
  readonly id: number;
  /** Where its content begins in the module. */
  readonly offset: number;
  readonly content: Uint8Array;
}

const PREAMBLE_SIZE = 8;

export function sectionsOf(module: Uint8Array): Section[] {
  const reader = new WasmReader(module, PREAMBLE_SIZE);
  const sections: Section[] = [];
  while (reader.at < module.length) {
    const id = reader.byte();
    const size = reader.number();
    sections.push({ id, offset: reader.at, content: reader.take(size) });
  }
  return sections;
}

/** A module of sections, in the order given. */
export function moduleOf(sections: readonly { readonly id: number; readonly content: Uint8Array }[]): Uint8Array<ArrayBuffer> {
  const parts: (Uint8Array | number[])[] = [[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]];
  for (const { id, content } of sections) parts.push([id, ...unsigned(content.length)], content);
  return concatenate(parts);
}

export function concatenate(parts: readonly (Uint8Array | readonly number[])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

export interface Instruction {
  readonly opcode: number;
  /** Where it begins and ends in the bytes that are read. */
  readonly start: number;
  readonly end: number;
  /** The first immediate where it is a number: an index, a type of a block. */
  readonly immediate: number;
  /** The value of a constant. */
  readonly constant: bigint | undefined;
}

function skipPrefixed(reader: WasmReader): void {
  const operation = reader.number();
  if (operation <= 7) return;
  if (operation === 10) reader.take(2);
  else if (operation === 11) reader.take(1);
  else throw new Error(`the instrumentation does not know the operation fc ${operation}`);
}

/** Reads one instruction with everything that belongs to it. */
export function readInstruction(reader: WasmReader): Instruction {
  const start = reader.at;
  const opcode = reader.byte();
  let immediate = 0;
  let constant: bigint | undefined;
  if (opcode === OP_BLOCK || opcode === OP_LOOP || opcode === OP_IF) immediate = Number(reader.signed());
  else if (opcode === 0x0c || opcode === OP_BR_IF || opcode === OP_CALL || (opcode >= OP_LOCAL_GET && opcode <= OP_GLOBAL_SET)) immediate = reader.number();
  else if (opcode === OP_BR_TABLE) {
    immediate = reader.vector(() => reader.number()).length;
    reader.number();
  } else if (opcode === 0x11) {
    reader.number();
    reader.number();
  } else if (opcode >= 0x28 && opcode <= 0x3e) {
    reader.number();
    reader.number();
  } else if (opcode === OP_MEMORY_SIZE || opcode === OP_MEMORY_GROW) reader.byte();
  else if (opcode === OP_I32_CONST || opcode === OP_I64_CONST) constant = reader.signed();
  else if (opcode === OP_F32_CONST) reader.take(4);
  else if (opcode === OP_F64_CONST) reader.take(8);
  else if (opcode === OP_PREFIX) skipPrefixed(reader);
  else if (opcode === OP_SELECT_TYPED || opcode === 0x12 || opcode === 0x13 || opcode > 0xc4 || (opcode > 0x05 && opcode < OP_END)) {
    throw new Error(`the instrumentation does not know the opcode ${opcode.toString(16)}`);
  }
  return { opcode, start, end: reader.at, immediate, constant };
}

/**
 * Reads a varve file as FORMAT.md says: finds the newest segment from the superblock, walks the log, decides where it ends and whether what stands there is a torn
 * tail or damage, and gives the state that the log adds up to. It shares nothing with the library. Guarantees that whatever it returns had every hash right;
 * it never changes the bytes. The single pieces are read by `format-parts.ts` and `format-frames.ts`.
 */
import { checkDeclarations, declaredSectors, readRecords, restoreBits } from './format-frames.js';
import {
  FLAG_END, HEADER_SIZE, HEAD_SIZE, SECTOR_SIZE, isBodyIntact, isZero, readDeclarations, readHead, readHeader, readList, readSuperblock, slotBytes,
  type Declaration, type FormatRecord, type Head, type SegmentHeader, type Superblock,
} from './format-parts.js';

/** What FORMAT.md calls damage: the store is to be refused. */
export class FormatDamage extends Error {
  override readonly name = 'FormatDamage';
}

export interface Frame {
  readonly head: Head;
  readonly declarations: readonly Declaration[];
  readonly records: readonly FormatRecord[];
}

export interface Segment {
  readonly header: SegmentHeader;
  readonly frames: Frame[];
}

/** The newest version of a key. */
export interface Held {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly kind: number;
  readonly version: number;
  readonly isTombstone: boolean;
}

export interface FormatImage {
  /** By index, then by copy; undefined where one is not intact. */
  readonly superblocks: readonly (readonly (Superblock | undefined)[])[];
  readonly superblock: Superblock;
  /** The live segments, ascending, with the frames that count. */
  readonly segments: readonly Segment[];
  /** The address at which the log validly ends. */
  readonly end: number;
  /** The address at which a torn tail begins, or undefined where only zeros follow. */
  readonly torn: number | undefined;
  /** What versions go on above. */
  readonly versionFloor: number;
  /** By the bytes of the key in hexadecimal. */
  readonly state: ReadonlyMap<string, Held>;
}

/** Where reading stopped. */
interface Stop {
  readonly segment: number;
  readonly offset: number;
  /** Nothing follows. */
  readonly isClean: boolean;
  /** What follows can be what a crash leaves. */
  readonly isExplained: boolean;
}

class Reader {
  readonly superblock: Superblock;
  readonly superblocks: (Superblock | undefined)[][];
  segments: Segment[] = [];
  #headers = new Map<number, SegmentHeader>();

  constructor(readonly file: Uint8Array) {
    this.superblocks = [0, 1].map((index) => [0, 1].map((copy) => readSuperblock(file, index, copy)));
    const intact = this.superblocks.flat().filter((superblock) => superblock !== undefined);
    if (intact.length === 0) throw new FormatDamage('no superblock is intact');
    this.superblock = intact.reduce((best, superblock) => (superblock.generation > best.generation ? superblock : best));
  }

  address(sequence: number, offset: number): number {
    return sequence * 2 ** (this.superblock.shift - 3) + offset / 8;
  }

  bytesOf(header: SegmentHeader): Uint8Array {
    return slotBytes(this.file, header.slot, this.superblock.shift);
  }

  read(): FormatImage {
    const stop = this.#readLog();
    this.#checkSeals(stop.segment, stop.offset);
    if (!stop.isExplained) throw new FormatDamage(`what stands in segment ${stop.segment} at ${stop.offset} is not a torn tail`);
    const cut = this.#cut(stop);
    if (cut !== stop) this.#checkSeals(cut.segment, cut.offset);
    const end = this.address(cut.segment, cut.offset);
    return {
      superblocks: this.superblocks, superblock: this.superblock, segments: this.segments, end, torn: cut.isClean ? undefined : end,
      versionFloor: this.#versionFloor(end), state: this.#state(),
    };
  }

  /** Follows the chain to the newest segment, and reads the live segments until a frame fails. */
  #readLog(): Stop {
    const { rootSlot, rootSequence } = this.superblock;
    let newest = readHeader(this.file, rootSlot, this.superblock);
    if (newest === undefined || newest.sequence !== rootSequence) throw new FormatDamage('the root is missing');
    let list = readList(this.file, newest, this.superblock.shift);
    if (list === undefined) throw new FormatDamage('the list of the root is damaged');
    for (;;) {
      const next: SegmentHeader | undefined = readHeader(this.file, newest.nextSlot, this.superblock);
      if (next === undefined || next.sequence !== newest.sequence + 1) {
        // The slot was zeroed before a header named it, so whatever else it holds has been damaged.
        if (!isZero(slotBytes(this.file, newest.nextSlot, this.superblock.shift).subarray(0, HEADER_SIZE))) throw new FormatDamage(`slot ${newest.nextSlot} holds no header that follows`);
        break;
      }
      const nextList = readList(this.file, next, this.superblock.shift);
      if (nextList === undefined) {
        if (!this.#hasZeroShare(next, HEADER_SIZE, HEADER_SIZE + next.listSize, [0])) throw new FormatDamage(`the list of segment ${next.sequence} is damaged`);
        break;
      }
      newest = next;
      list = nextList;
    }
    for (const { sequence, slot } of list) {
      const header = readHeader(this.file, slot, this.superblock);
      if (header?.sequence !== sequence || readList(this.file, header, this.superblock.shift) === undefined) throw new FormatDamage(`the listed segment ${sequence} is missing`);
      this.segments.push({ header, frames: [] });
    }
    this.segments.push({ header: newest, frames: [] });
    for (const { header } of this.segments) this.#headers.set(header.sequence, header);
    for (const segment of this.segments) {
      const stop = this.#readSegment(segment, segment.header === newest);
      if (stop !== undefined) return stop;
    }
    // The last frame says that the log goes on in a segment that is not there.
    return { segment: newest.sequence, offset: this.segments.at(-1)!.frames.at(-1)!.head.end, isClean: true, isExplained: true };
  }

  /** Reads the frames of a segment. Returns where they stop, or undefined behind a frame that ends the segment. */
  #readSegment(segment: Segment, isNewest: boolean): Stop | undefined {
    const { header } = segment;
    const bytes = this.bytesOf(header);
    for (let offset = header.framesOffset; ;) {
      const stopAt = (isExplained: boolean): Stop => ({ segment: header.sequence, offset, isClean: false, isExplained });
      if (offset + HEAD_SIZE > bytes.length || isZero(bytes.subarray(offset))) return { ...stopAt(true), isClean: isNewest };
      const head = readHead(bytes, offset, header.seed);
      if (head === undefined) return stopAt(this.#hasZeroShare(header, offset, offset + HEAD_SIZE, []));
      // The sector in which the head ends was written, so it explains nothing of what follows.
      const written = Math.floor((offset + HEAD_SIZE - 1) / SECTOR_SIZE);
      const declarations = readDeclarations(bytes, head, header.seed);
      if (declarations === undefined) return stopAt(this.#hasZeroShare(header, head.bodyEnd, head.end, [written]));
      const restored = restoreBits(bytes, head, declarations);
      if (!isBodyIntact(restored, head, header.seed)) return stopAt(this.#hasZeroShare(header, offset + HEAD_SIZE, head.bodyEnd, [written, ...declaredSectors(head, declarations)]));
      checkDeclarations(restored, head, declarations);
      segment.frames.push({ head, declarations, records: readRecords(restored, head, header) });
      if ((head.flags & FLAG_END) !== 0) {
        this.#checkLink(header, head);
        return undefined;
      }
      offset = head.end;
    }
  }

  /** The header of the next segment names the end of this one. */
  #checkLink(header: SegmentHeader, last: Head): void {
    const next = this.#headers.get(header.sequence + 1);
    if (next === undefined) return;
    if (next.previousEnd !== this.address(header.sequence, last.end) || next.previousHash !== last.hash) throw new FormatDamage(`segment ${next.sequence} does not continue the one before`);
  }

  /** Whether the share of `[start, end)` in one of its sectors is zero, but for sectors that may be. */
  #hasZeroShare(header: SegmentHeader, start: number, end: number, allowed: readonly number[]): boolean {
    const bytes = this.bytesOf(header);
    for (let sector = Math.floor(start / SECTOR_SIZE); sector * SECTOR_SIZE < end; sector++) {
      const share = bytes.subarray(Math.max(start, sector * SECTOR_SIZE), Math.min(end, (sector + 1) * SECTOR_SIZE));
      if (share.length > 0 && isZero(share) && !allowed.includes(sector)) return true;
    }
    return false;
  }

  /** Refuses the store where something intact says that more was durable than what was read. */
  #checkSeals(sequence: number, stopOffset: number): void {
    const at = this.address(sequence, stopOffset);
    const check = (seal: number, whose: string): void => {
      if (seal > at) throw new FormatDamage(`${whose} says that the log was durable behind ${sequence}:${stopOffset}`);
    };
    check(this.superblock.tail, 'the superblock');
    for (const { header } of this.segments) {
      check(header.seal, `the header of segment ${header.sequence}`);
      if (header.sequence < sequence) continue;
      const bytes = this.bytesOf(header);
      const from = header.sequence === sequence ? stopOffset : header.framesOffset;
      for (let offset = from; offset < bytes.length; offset += 8) check(readHead(bytes, offset, header.seed)?.seal ?? 0, `a head in segment ${header.sequence} at ${offset}`);
    }
  }

  /** Removes what stands behind the end, and a commit that did not get finished. Returns where the log ends then. */
  #cut(stop: Stop): Stop {
    let end = stop;
    this.segments = this.segments.filter(({ header }) => header.sequence <= stop.segment);
    for (let index = this.segments.length - 1; index >= 0; index--) {
      const { header, frames } = this.segments[index]!;
      const last = frames.at(-1);
      if (last === undefined) continue;
      // A pending frame ends its segment. Its commit goes on in the next; where that was freed since, it was complete.
      const next = this.segments[index + 1];
      const first = next?.frames[0]?.records[0];
      if (last.head.pendingCount === 0 || (next !== undefined && next.header.sequence !== header.sequence + 1)) break;
      if (first !== undefined) {
        if (first.version !== last.head.version) throw new FormatDamage(`segment ${next!.header.sequence} does not go on with the commit of the one before`);
        break;
      }
      frames.pop();
      end = { ...stop, segment: header.sequence, offset: last.head.offset, isClean: false };
    }
    this.segments = this.segments.filter(({ header }) => header.sequence <= end.segment);
    return end;
  }

  #versionFloor(end: number): number {
    const { superblock, segments } = this;
    const highest = Math.max(superblock.version, ...segments.flatMap(({ header, frames }) => [header.version, ...frames.map(({ head }) => head.version)]));
    if (superblock.isClean && superblock.tail === end) return highest;
    return Math.max(highest, superblock.versionCeiling, ...segments.map(({ header }) => header.versionCeiling));
  }

  /** Of each key the record of the highest version; of two with one version the later in the log. */
  #state(): Map<string, Held> {
    const newest = new Map<string, FormatRecord>();
    for (const record of this.segments.flatMap(({ frames }) => frames.flatMap(({ records }) => records))) {
      if (record.isPart) continue;
      const name = Buffer.from(record.key).toString('hex');
      if ((newest.get(name)?.version ?? 0) <= record.version) newest.set(name, record);
    }
    const state = new Map<string, Held>();
    for (const [name, record] of newest) {
      const { key, kind, version, isTombstone, isLarge } = record;
      state.set(name, { key, kind, version, isTombstone, value: isLarge ? this.#largeValue(record.value, version) : record.value });
    }
    return state;
  }

  #largeValue(content: Uint8Array, version: number): Uint8Array {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    const value = new Uint8Array(Number(view.getBigUint64(0, true)));
    let size = 0;
    for (let offset = 8; offset < content.length; offset += 8) {
      const address = Number(view.getBigUint64(offset, true));
      const unit = 2 ** (this.superblock.shift - 3);
      const header = this.#headers.get(Math.floor(address / unit));
      const records = this.segments.find((segment) => segment.header === header)?.frames.flatMap((frame) => frame.records) ?? [];
      const part = records.find((record) => record.offset === (address % unit) * 8);
      if (part === undefined || !part.isPart || part.key.length !== 0 || part.version !== version) throw new FormatDamage(`a large value names ${address}, where no part is`);
      value.set(part.value, size);
      size += part.value.length;
    }
    if (size !== value.length) throw new FormatDamage(`the parts of a large value have ${size} bytes of ${value.length}`);
    return value;
  }
}

/** Reads the bytes of a store's file. Throws `FormatDamage` for what FORMAT.md refuses, and `Error` for what it does not describe. */
export function readFormat(file: Uint8Array): FormatImage {
  return new Reader(file).read();
}

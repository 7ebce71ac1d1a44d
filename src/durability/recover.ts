/**
 * From the bytes of a file to a running log. Reads superblocks and segments, has the core decide where the log validly ends, writes anew what was not
 * known to be durable, and links the rest. A store that is refused is left exactly as it was.
 */
import * as format from '../../assembly/shared/format.js';
import * as layout from '../../assembly/shared/layout.js';
import * as status from '../../assembly/shared/status.js';
import type { Device } from '../device/device.js';
import type { Engine } from '../engine/engine.js';
import { corruption, failure, nothingIntact, reasonText, superblockDamage } from '../engine/failure.js';
import { damageOf } from '../engine/pager.js';
import { FullError, type Damage } from '../errors.js';
import type { ImageFile } from './image-file.js';
import type { LogFile } from './log-file.js';
import { CREATED_COUNT } from './slots.js';

/** What opening a store found. */
export interface Recovery {
  /** True when the store was closed in order, or is new. */
  readonly clean: boolean;
  /** True when the store was made by this `open`. */
  readonly created: boolean;
  /** Frames, records and bytes of frames that were read and checked. */
  readonly frames: number;
  readonly records: number;
  readonly bytes: number;
  /** What a crash had cut from the end of the log, and why it was taken for that: it was never acknowledged as durable. */
  readonly dropped: Damage | undefined;
  /** Bytes that were not known to be durable, and were written anew before the store was believed. */
  readonly rewritten: number;
  /** With `salvage`, what is lost. Empty otherwise. */
  readonly lost: readonly Damage[];
  /** From the first read to the last link, in milliseconds. */
  readonly milliseconds: number;
}

/** Bytes, and where they go in the file. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly offset: number;
}

interface Mode {
  readonly writable: boolean;
  readonly salvage: boolean;
  /** Whether recovery may begin with an image of the index. */
  readonly mayUseImage: boolean;
  readonly entropy: Uint8Array;
}

const SUPERBLOCKS_SIZE = 2 * format.SUPERBLOCK_SIZE;
/** The most that an interrupted creation leaves: a file of the largest segments. */
const UNFINISHED_SIZE_MAX = format.SLOTS_OFFSET + CREATED_COUNT * 2 ** format.SEGMENT_SIZE_SHIFT_MAX;
/** How much of a file is looked at at a time. */
const LOOK_SIZE = 1 << 20;

/** Fills `target` from the device; what lies behind the end of the file is zero. */
function readWhole(device: Device, target: Uint8Array, offset: number): void {
  const read = device.read(target, offset);
  if (read < target.length) target.fill(0, read);
}

/** Whether a file holds no bit in `[from, to)`. */
function isZero(device: Device, from: number, to: number): boolean {
  const bytes = new Uint8Array(Math.max(0, Math.min(to - from, LOOK_SIZE)));
  for (; from < to; from += bytes.length) {
    readWhole(device, bytes, from);
    for (let index = 0; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  }
  return true;
}

/** Whether a file holds nothing but what an interrupted creation leaves: no superblock, and no frame. */
export function isUnfinished(device: Device): boolean {
  const size = device.size();
  const slots = format.SLOTS_OFFSET;
  if (size > UNFINISHED_SIZE_MAX || !isZero(device, 0, slots)) return false;
  const header = new Uint8Array(format.SEGMENT_HEADER_SIZE);
  readWhole(device, header, slots);
  const view = new DataView(header.buffer);
  if (view.getUint32(0, true) !== format.SEGMENT_MAGIC_LOW) return isZero(device, slots, size);
  return isZero(device, slots + format.SEGMENT_HEADER_SIZE + Math.min(view.getUint32(format.SEGMENT_LIST_SIZE, true), 8), size);
}

/** Makes a new store on an empty device. It is there only when this returns. */
export function createLog(engine: Engine, device: Device, log: LogFile, segmentSizeShift: number, entropy: Uint8Array): Recovery {
  const began = performance.now();
  engine.init(segmentSizeShift, false, true, entropy);
  // What an interrupted creation left is zeroed first: a slot must hold nothing when it is used.
  if (device.size() > 0) device.truncate(0);
  log.slots.create();
  const code = engine.core.createStore();
  engine.refresh();
  if (code !== status.STATUS_OK) throw failure(code, device.name);
  log.flushSync();
  log.start(0, false);
  log.flushSync(true);
  return {
    clean: true, created: true, frames: 0, records: 0, bytes: 0, dropped: undefined, rewritten: 0, lost: [], milliseconds: performance.now() - began,
  };
}

class Reader {
  readonly #engine: Engine;
  readonly #device: Device;
  readonly #mode: Mode;
  readonly #lost: Damage[] = [];
  #hasSegments = false;
  #hasImage = false;

  constructor(engine: Engine, device: Device, mode: Mode) {
    this.#engine = engine;
    this.#device = device;
    this.#mode = mode;
  }

  #refuse(code: number): never {
    throw code === status.STATUS_CORRUPT
      ? corruption(this.#device.name, damageOf(this.#engine))
      : failure(code, this.#device.name, this.#engine.word(layout.CONTROL_FORMAT_VERSION));
  }

  /** Refuses damage, or in salvage notes it. */
  #lose(damage: Damage): void {
    if (!this.#mode.salvage) throw corruption(this.#device.name, damage);
    this.#lost.push(damage);
  }

  #damageAt(sequence: number, slot: number, reason: number): Damage {
    return { segment: sequence, offset: this.#engine.slotOffset(slot), bytes: this.#engine.segmentSize, reason: reasonText(reason), versions: undefined };
  }

  /** Reads a slot into a block and examines it. Returns the status; an intact one is adopted. */
  #load(slot: number): number {
    const { core } = this.#engine;
    const block = core.slotBlock() >>> 0;
    this.#engine.refresh();
    if (block === 0) throw this.#noMemory();
    readWhole(this.#device, this.#engine.bytes.subarray(block, block + this.#engine.segmentSize), this.#engine.slotOffset(slot));
    const code = core.examineSlot(block, slot);
    if (code === status.STATUS_OK && !core.isAdopted(this.#engine.number(layout.CONTROL_SEQUENCE))) {
      const adopted = core.adoptSlot(block, slot);
      if (adopted === status.STATUS_MEMORY_FULL) throw this.#noMemory();
      this.#engine.refresh();
      if (adopted !== status.STATUS_OK) {
        core.releaseSlotBlock(block);
        return adopted;
      }
      this.#hasSegments = true;
      return code;
    }
    core.releaseSlotBlock(block);
    // A second segment of one number, or a chain that comes back to where it was.
    return code === status.STATUS_OK ? status.STATUS_CORRUPT : code;
  }

  #noMemory(): FullError {
    return new FullError(
      `${this.#device.name} takes ${this.#device.size()} bytes, and its memory is limited to ${this.#engine.memoryLimit}: ` +
      'the file was not touched. Open it with a larger memory.limit.');
  }

  /** Reads the superblocks and fixes the geometry. False when both are lost and salvage goes on without. */
  #readSuperblocks(): boolean {
    const { core } = this.#engine;
    const window = core.superblockWindow() >>> 0;
    readWhole(this.#device, this.#engine.bytes.subarray(window, window + SUPERBLOCKS_SIZE), 0);
    const code = core.readSuperblocks();
    if (code === status.STATUS_OK) {
      this.#engine.init(this.#engine.word(layout.CONTROL_SEGMENT_SIZE_SHIFT), false, false, this.#mode.entropy);
      return true;
    }
    if (code !== status.STATUS_CORRUPT || !this.#mode.salvage) {
      throw failure(code, this.#device.name, this.#engine.word(layout.CONTROL_FORMAT_VERSION));
    }
    this.#lost.push(superblockDamage());
    return false;
  }

  /** Follows the chain of segments from the root that the superblock names to the newest. Returns whether it was whole. */
  #followChain(): boolean {
    const engine = this.#engine;
    let slot = engine.word(layout.CONTROL_ROOT_SLOT);
    let sequence = engine.number(layout.CONTROL_SEQUENCE);
    for (let isRoot = true; ; isRoot = false) {
      const code = this.#load(slot);
      if (code === status.STATUS_EMPTY && !isRoot) {
        // A slot was in the file, durably, before a header named it as the next: one that is not there was cut off, with whatever it held.
        if (this.#engine.slotOffset(slot) + this.#engine.segmentSize <= this.#device.size()) return true;
        this.#lose(this.#damageAt(sequence, slot, status.REASON_SEGMENT_MISSING));
        return false;
      }
      const found = engine.number(layout.CONTROL_SEQUENCE);
      if (code !== status.STATUS_OK || found !== sequence) {
        this.#lose(this.#damageAt(sequence, slot, code === status.STATUS_CORRUPT ? status.REASON_SEGMENT_HEADER : status.REASON_SEGMENT_MISSING));
        return false;
      }
      slot = engine.word(layout.CONTROL_NEXT_SLOT);
      sequence++;
    }
  }

  /** Loads what the newest header lists. */
  #loadListed(): void {
    const { core } = this.#engine;
    core.startLiveList();
    const missing: [number, number][] = [];
    let beyond: Damage | undefined;
    for (let slot = core.nextLive(); slot !== -1; slot = core.nextLive()) {
      if (slot < 0) {
        this.#lose(this.#damageAt(0, 0, status.REASON_SEGMENT_HEADER));
        return;
      }
      const sequence = this.#engine.number(layout.CONTROL_SEQUENCE);
      if (core.isAdopted(sequence) || (this.#hasImage && core.confirmFromImage(sequence, slot))) continue;
      // A list that names more than the file holds is refused before memory is taken for it; all that it names behind the end is one loss.
      if (this.#engine.slotOffset(slot) >= this.#device.size()) {
        beyond ??= { ...this.#damageAt(sequence, slot, status.REASON_SEGMENT_MISSING), bytes: 0 };
        beyond = { ...beyond, bytes: beyond.bytes + this.#engine.segmentSize };
        continue;
      }
      missing.push([sequence, slot]);
    }
    if (beyond !== undefined) this.#lose(beyond);
    for (const [sequence, slot] of missing) {
      const code = this.#load(slot);
      if (code === status.STATUS_OK && this.#engine.number(layout.CONTROL_SEQUENCE) === sequence) continue;
      this.#lose(this.#damageAt(sequence, slot, code === status.STATUS_CORRUPT ? status.REASON_SEGMENT_HEADER : status.REASON_SEGMENT_MISSING));
    }
  }

  /**
   * Where the newest headers were dropped, the one that is the newest now may list segments that those had given up: they stand in their slots still, because no header that left them out was
   * durable, and the next recovery will ask for them.
   */
  #checkListed(): void {
    const { core } = this.#engine;
    core.startLiveList();
    const given: [number, number][] = [];
    for (let slot = core.nextLive(); slot !== -1; slot = core.nextLive()) {
      const sequence = this.#engine.number(layout.CONTROL_SEQUENCE);
      if (slot < 0) this.#lose(this.#damageAt(0, 0, status.REASON_SEGMENT_HEADER));
      if (slot < 0) return;
      if (!core.isAdopted(sequence)) given.push([sequence, slot]);
    }
    for (const [sequence, slot] of given) {
      const block = core.slotBlock() >>> 0;
      this.#engine.refresh();
      if (block === 0) throw this.#noMemory();
      readWhole(this.#device, this.#engine.bytes.subarray(block, block + this.#engine.segmentSize), this.#engine.slotOffset(slot));
      const isThere = core.examineSlot(block, slot) === status.STATUS_OK && this.#engine.number(layout.CONTROL_SEQUENCE) === sequence;
      core.releaseSlotBlock(block);
      if (!isThere) this.#lose(this.#damageAt(sequence, slot, status.REASON_SEGMENT_MISSING));
    }
  }

  /** Salvage without a chain: every slot whose header is intact. */
  #loadEverything(): void {
    const count = Math.ceil((this.#device.size() - this.#engine.slotOffset(0)) / this.#engine.segmentSize);
    for (let slot = 0; slot < count; slot++) this.#load(slot);
  }

  /** Finds the segment size of a store whose superblocks are lost: the one with which a header is intact. */
  #guessGeometry(): boolean {
    const { core } = this.#engine;
    for (let shift = format.SEGMENT_SIZE_SHIFT_MAX; shift >= format.SEGMENT_SIZE_SHIFT_MIN; shift--) {
      this.#engine.init(shift, false, false, this.#mode.entropy);
      const block = core.slotBlock() >>> 0;
      this.#engine.refresh();
      if (block === 0) continue;
      const count = Math.ceil((this.#device.size() - format.SLOTS_OFFSET) / this.#engine.segmentSize);
      for (let slot = 0; slot < count; slot++) {
        readWhole(this.#device, this.#engine.bytes.subarray(block, block + this.#engine.segmentSize), this.#engine.slotOffset(slot));
        core.adoptStoreId(block);
        if (core.examineSlot(block, slot) !== status.STATUS_OK) continue;
        core.releaseSlotBlock(block);
        return true;
      }
      core.releaseSlotBlock(block);
    }
    return false;
  }

  /** Adopts the segments of the store: with an image of the index, those that it knows without reading them. */
  load(image: ImageFile): void {
    if (this.#readSuperblocks()) {
      this.#hasImage = image.read(this.#mode.mayUseImage);
      if (this.#followChain()) {
        this.#loadListed();
        this.#engine.core.dropUnlisted();
        return;
      }
    } else if (!this.#guessGeometry()) this.#refuse(status.STATUS_NOT_VARVE);
    this.#loadEverything();
    const [first, ...others] = this.#lost;
    if (!this.#hasSegments) throw nothingIntact(this.#device.name, first!, ...others);
    this.#loadListed();
    this.#engine.core.dropUnlisted();
  }

  /** Decides where the log ends. Returns what was dropped, and what is to be made durable before the store is believed. */
  settle(): { dropped: Damage | undefined; unproven: readonly Piece[] | undefined } {
    const engine = this.#engine;
    const { core } = engine;
    const code = core.scan();
    if (code !== status.STATUS_OK) this.#refuse(code);
    const dropped = engine.word(layout.CONTROL_DAMAGE_REASON) === status.REASON_NONE ? undefined : damageOf(engine);
    if (core.discardedSegments() > 0) this.#checkListed();
    const needsRewrite = core.startRewrite() !== 0 || dropped !== undefined;
    if (!needsRewrite || !this.#mode.writable) return { dropped, unproven: undefined };
    // Copies, because linking changes links, which frames have in their hashes, and may yet refuse the store: then nothing may have been written.
    const unproven: Piece[] = [];
    for (let output = core.nextOutput(); output !== 0; output = core.outputDone()) {
      unproven.push({ bytes: engine.bytes.slice(engine.outputPointer, engine.outputPointer + output), offset: engine.outputOffset });
    }
    return { dropped, unproven };
  }

  /** Writes anew what was not known to be durable. Returns how many bytes that were. */
  rewrite(log: LogFile, unproven: readonly Piece[]): number {
    const engine = this.#engine;
    const { core } = engine;
    let size = 0;
    for (const { bytes, offset } of unproven) {
      this.#device.write(bytes, 0, bytes.length, offset);
      size += bytes.length;
    }
    if (core.isTailDirty()) {
      const rest = core.tailRest();
      this.#device.write(engine.bytes, engine.outputPointer, rest, engine.outputOffset);
    }
    if (core.discardedSegments() > 0) log.slots.provideNext();
    const address = core.writtenAddress();
    this.#device.flushSync();
    core.flushed(address);
    return size;
  }

  /** Links what is valid. */
  link(): void {
    if (this.#mode.salvage) {
      const { core } = this.#engine;
      let code = core.startSalvage();
      if (code === status.STATUS_OK) for (code = core.salvageNext(); code === status.STATUS_CORRUPT; code = core.salvageNext()) this.#lost.push(damageOf(this.#engine));
      this.#engine.refresh();
      if (code !== status.STATUS_OK) throw this.#noMemory();
      return;
    }
    const code = this.#engine.core.link();
    this.#engine.refresh();
    if (code === status.STATUS_MEMORY_FULL) throw this.#noMemory();
    if (code !== status.STATUS_OK) this.#refuse(code);
  }

  get lost(): readonly Damage[] {
    return this.#lost;
  }
}

/** Opens an existing store. */
export function recoverLog(engine: Engine, device: Device, log: LogFile, mode: Mode): Recovery {
  const began = performance.now();
  const reader = new Reader(engine, device, mode);
  reader.load(log.image);
  const { dropped, unproven } = mode.salvage ? { dropped: undefined, unproven: undefined } : reader.settle();
  reader.link();
  const figures = {
    frames: engine.number(layout.CONTROL_FRAME_COUNT),
    records: engine.number(layout.CONTROL_RECORD_COUNT),
    bytes: engine.number(layout.CONTROL_BYTE_COUNT),
  };
  const rewritten = unproven === undefined ? 0 : reader.rewrite(log, unproven);
  const isClean = (engine.word(layout.CONTROL_FLAGS) & format.SUPERBLOCK_FLAG_CLEAN) !== 0 && rewritten === 0 && dropped === undefined;
  if (mode.writable) log.slots.adopt(log.usedSlots());
  log.image.begin(figures.bytes);
  log.start(engine.core.lastVersion(), isClean);
  // What was read, zeros and a ceiling too, may not be on the medium, or after a failed flush not even on its way. Whatever is shown from now on must not go with the power.
  if (mode.writable && !isClean) log.flushSync(true);
  return { clean: isClean, created: false, ...figures, dropped, rewritten, lost: reader.lost, milliseconds: performance.now() - began };
}

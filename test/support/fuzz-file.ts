/**
 * The file decoder as a target: any bytes as the file of a store, opened to read, to write and to salvage. At worst they are refused with an error of varve's own, and then not a byte of
 * them was changed. What opens has sound structures, reads the same whichever way it was opened, takes a commit, and opens again with it.
 */
import { DeviceError } from '../../src/device/device.js';
import { MemoryDevice } from '../../src/device/memory.js';
import { CorruptionError, FormatError, FullError, InvalidArgumentError, NotFoundError, TooLargeError, type VarveError } from '../../src/errors.js';
import type { OpenOptions } from '../../src/options.js';
import type { Store } from '../../src/store.js';
import type { CountedCore } from './counted-core.js';
import { mutateFile } from './file-mutator.js';
import type { FuzzTarget } from './fuzzer.js';
import { judgeFrame, layoutOf } from './file-repair.js';
import { openStore } from './stores.js';

const SIZE_MAX = 64 << 10;
/** Memory that the core touches before it has read anything, with room for the first of everything. */
const MEMORY_BASE = 1 << 20;
/** Salvage of a file without superblocks tries every size that a segment can have, the largest first. */
const SALVAGE_BASE = 33 << 20;
/** Of each byte of the file, its segment's and what index, order and history may take for it. */
const MEMORY_SHARE = 16;
/** No file here needs as much: a length that is believed runs into it, and `FullError` tells. */
const MEMORY_LIMIT = 256 << 20;
const NEW_KEY = 'written by the fuzzer';

const DEVICE_FULL = 'the device of the fuzzer is full';

/** A device that is full before a hostile file can make it large. */
class SmallDevice extends MemoryDevice {
  override write(source: Uint8Array, start: number, length: number, offset: number): void {
    if (offset + length > 16 * SIZE_MAX) throw new DeviceError('full', 'write', DEVICE_FULL);
    super.write(source, start, length, offset);
  }
}

/** What must not happen. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

function isRefusal(error: unknown): error is VarveError {
  return error instanceof CorruptionError || error instanceof FormatError || error instanceof NotFoundError;
}

/** What a reader has seen of a store. */
interface Shown {
  readonly lines: readonly string[];
  /** Whether nothing was cut from the end of its log. */
  readonly isWhole: boolean;
  /** Whether `verify` finds nothing wrong. */
  readonly isSound: boolean;
}

/** A number that depends on every byte: what of the slower checks an input gets. */
function drawOf(input: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (let index = 0; index < input.length; index += 7) sum = Math.imul(sum ^ input[index]!, 0x01000193);
  return sum >>> 0;
}

/** What a store shows: keys, versions and values in order, up to the first that cannot be read. */
function listing(store: Store): string[] {
  const lines: string[] = [];
  try {
    for (const { key, version, value } of store.scan()) lines.push(`${String(key)} ${version} ${typeof value === 'object' ? 'object' : String(value)}`);
  } catch (error) {
    // Keys and values are decoded when they are read; those that no codec wrote, or another one, are told then.
    if (!(error instanceof CorruptionError) && !(error instanceof InvalidArgumentError)) throw error;
    lines.push(error.message);
  }
  return lines;
}

/** Verifies a store. False where a record fails its own check in a frame whose hash is right: opening believes the frame, `verify` is there to look closer. */
async function verifies(store: Store, image: Uint8Array): Promise<boolean> {
  try {
    await store.verify();
    return true;
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error;
    const records = error.offset === undefined ? undefined : judgeFrame(image, error.offset);
    if (records !== 'unchecked') throw new Violation(`verify refuses what was opened, although the records there are ${records ?? 'not to be found'}: ${error.message}`, { cause: error });
    return false;
  }
}

function checkMemory(store: Store, image: Uint8Array, base = MEMORY_BASE): void {
  const { memory, log } = store.stats();
  // The last segment of a file may be cut, and takes the room of a whole one.
  check(memory.bytes <= base + MEMORY_SHARE * (image.length + 4 * log.segmentBytes), `a file of ${image.length} bytes took ${memory.bytes} bytes of memory`);
}

export class FileTarget implements FuzzTarget {
  readonly name = 'file';
  readonly sizeMax = SIZE_MAX;
  /** Every check for every input, rather than for those that are drawn. */
  isThorough = false;
  readonly #core: CountedCore;
  #options: OpenOptions = {};
  /** Why the last file was refused. */
  #refusal = '';

  /** The core must be installed. */
  constructor(core: CountedCore) {
    this.#core = core;
  }

  clear(): void {
    this.#core.clear();
  }

  read(): Uint32Array {
    return this.#core.read();
  }

  mutate(input: Uint8Array, random: Parameters<FuzzTarget['mutate']>[1]): Uint8Array {
    return mutateFile(input, random, SIZE_MAX);
  }

  async run(image: Uint8Array): Promise<void> {
    const draw = drawOf(image);
    this.#options = { module: this.#core.module, memory: { limit: MEMORY_LIMIT }, ...(draw % 4 === 0 ? { history: 'all' as const } : {}) };
    const shown = await this.#readOnly(image);
    if (shown?.isSound === false) return;
    if (this.isThorough || shown !== undefined || draw % 16 === 1) await this.#writable(image, shown);
    if (this.isThorough || (shown === undefined ? draw % 4 === 2 : draw % 16 === 2)) await this.#salvage(image, shown);
  }

  /** Opens a file, or sees it refused. */
  #open(device: MemoryDevice, options: OpenOptions): Store | undefined {
    const before = device.bytes();
    try {
      return openStore(device, { ...this.#options, ...options });
    } catch (error) {
      // The slot that a segment names as next may lie anywhere.
      if (error instanceof FullError && error.message.includes(DEVICE_FULL)) {
        this.#refusal = DEVICE_FULL;
        return undefined;
      }
      if (!isRefusal(error)) throw error;
      this.#refusal = error.message;
      check(Buffer.compare(device.bytes(), before) === 0, 'a file that was refused was changed');
      check(this.#core.memorySize <= 2 * MEMORY_BASE + (64 << 20) + MEMORY_SHARE * before.length, `a file of ${before.length} bytes took ${this.#core.memorySize} bytes of memory, and was refused`);
      return undefined;
    }
  }

  async #readOnly(image: Uint8Array): Promise<Shown | undefined> {
    const device = new SmallDevice(image, true);
    const store = this.#open(device, { readOnly: true });
    if (store === undefined) return undefined;
    try {
      checkMemory(store, image);
      const isSound = await verifies(store, image);
      const lines = listing(store);
      if (isSound) await store.verify();
      checkMemory(store, image);
      return { lines, isWhole: store.recovery.dropped === undefined, isSound };
    } finally {
      await store.close();
    }
  }

  async #writable(image: Uint8Array, shown: Shown | undefined): Promise<void> {
    const device = new SmallDevice(image);
    const store = this.#open(device, { segmentSize: 4096 });
    if (store === undefined) {
      check(shown === undefined || this.#refusal === DEVICE_FULL, `what opens to be read is refused to a writer: ${this.#refusal}`);
      return;
    }
    let version = 0;
    try {
      if (shown === undefined) check(store.recovery.created, 'what opens to be written is refused to a reader');
      else check(listing(store).join('\n') === shown.lines.join('\n'), 'a reader and a writer see different stores');
      version = this.#write(store);
      await store.verify();
    } finally {
      await store.close();
    }
    if (version !== 0) await this.#reopen(device.bytes(), version);
  }

  /** Commits something. Returns its version, 0 where there is no room for it: of versions, of segments or in a segment. */
  #write(store: Store): number {
    try {
      const version = store.putSync(NEW_KEY, new Uint8Array(100));
      store.deleteSync('key1');
      check(version > 0 && store.getEntry(NEW_KEY)?.version === version, 'a commit is not there');
      return version;
    } catch (error) {
      if (error instanceof FullError || error instanceof TooLargeError) return 0;
      throw error;
    }
  }

  async #reopen(image: Uint8Array, version: number): Promise<void> {
    const again = this.#open(new SmallDevice(image), {});
    check(again !== undefined, `what was opened and written does not open again: ${this.#refusal}`);
    try {
      check(again.getEntry(NEW_KEY)?.version === version, 'what was committed is not there after opening again');
      await again.verify();
    } finally {
      await again.close();
    }
  }

  async #salvage(image: Uint8Array, shown: Shown | undefined): Promise<void> {
    const device = new SmallDevice(image, true);
    const store = this.#open(device, { salvage: true });
    check(store !== undefined || shown === undefined, `what opens is refused to salvage: ${this.#refusal}`);
    if (store === undefined) return;
    try {
      checkMemory(store, image, SALVAGE_BASE);
      check(store.recovery.lost.length <= 64 + image.length / 8, `salvage of ${image.length} bytes names ${store.recovery.lost.length} losses`);
      const lines = listing(store);
      if (shown?.isWhole === true) check(store.recovery.lost.length === 0 && lines.join('\n') === shown.lines.join('\n'), 'salvage of a sound store shows another one');
    } finally {
      await store.close();
    }
  }
}

/** Small files with everything that the format has: where the fuzzer begins. */
export async function sampleFiles(core: CountedCore): Promise<Uint8Array[]> {
  const options: OpenOptions = { module: core.module, segmentSize: 4096 };
  const files: Uint8Array[] = [];
  const make = async (write: (store: Store) => void, more: OpenOptions = {}): Promise<void> => {
    const device = new MemoryDevice();
    const store = openStore(device, { ...options, ...more });
    write(store);
    files.push(device.bytes());
    await store.close();
    files.push(device.bytes());
  };
  await make(() => undefined);
  await make((store) => {
    for (let index = 0; index < 4; index++) store.putSync(`key${index}`, `value ${index}`);
    store.deleteSync('key2');
    store.putSync('key1', 17);
  });
  await make((store) => {
    store.putSync('expiring', 1, { ttl: 1000 });
    store.putSync('zeros', new Uint8Array(1400));
    store.putSync('bit', new Uint8Array(1200).fill(1, 1000, 1001));
    store.keyspace('space').putSync(['tuple', 1], { a: [1, 2n] });
  });
  await make((store) => store.putSync('large', new Uint8Array(1500).fill(7)));
  await make((store) => {
    store.putSync('large', new Uint8Array(6000).fill(7));
    store.putSync('large', new Uint8Array(2500).fill(8));
    store.putSync('key1', 'last');
  });
  await make((store) => {
    const batch = (version: number): void => {
      store.batchSync(Array.from({ length: 12 }, (_, index) => ({ type: 'put' as const, key: `key${index}`, value: `${version}`.repeat(400) })));
    };
    batch(1);
    batch(2);
    store.putSync('key1', 'last');
  });
  await make((store) => {
    for (let round = 0; round < 40; round++) store.putSync(`key${round % 4}`, `${round}`.repeat(150));
  });
  return files.map((file) => trimmed(file));
}

/** A file without the zeroed slots at its end, which take time and hold nothing. */
function trimmed(file: Uint8Array): Uint8Array {
  const last = layoutOf(file).segments.reduce((end, { offset, end: size }) => Math.max(end, offset + size), 8192);
  return file.slice(0, Math.min(file.length, (last + 511) & ~511));
}

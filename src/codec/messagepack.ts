/**
 * Plain MessagePack over @msgpack/msgpack, and what the structured codec shares of it. The library alone would lose or
 * endanger something in a few places, and this file closes them:
 * - its decoder allocates what a length field asks for, so the structure is checked against the bytes that are there first;
 * - it hands out binary as views of the source, which here is memory that moves and is reused, so such sources are copied;
 * - it changes lone surrogates, a leading U+FEFF of a long string, `undefined`, and bigints without a word, and fails to
 *   read the key `__proto__` that it wrote, so these are refused before.
 *
 * Guarantees: what is taken comes back the same, except that -0 is 0 and properties that are undefined are left out.
 */
import {
  Decoder, decodeTimestampExtension, Encoder, encodeTimestampExtension, EXT_TIMESTAMP, ExtData, type ExtensionCodecType,
} from '@msgpack/msgpack';
import { CorruptionError, InvalidArgumentError, TooLargeError, VarveError } from '../errors.js';
import { copyToOwnBuffer, isBytes } from './bytes.js';
import { isWellFormed } from './text.js';

/** How deep values nest; deeper is taken for a cycle. */
export const MAX_VALUE_DEPTH = 512;
/** An encoder whose buffer has grown beyond this is given up, so that one huge value does not hold its memory for ever. */
const KEPT_ENCODER_SIZE = 1048576;

export function damagedValue(): CorruptionError {
  return new CorruptionError('A value of the store is malformed: run verify(), or restore it from a backup.');
}

export function tooDeep(): InvalidArgumentError {
  return new InvalidArgumentError(`A value nests deeper than ${MAX_VALUE_DEPTH}, or contains itself: store its parts under keys of their own.`);
}

/** Whether the library gives `text` back as it was. */
export function isPlainText(text: string): boolean {
  return isWellFormed(text) && text.charCodeAt(0) !== 0xfeff;
}

/** Whether `value` is an object literal, or like one: of this or another realm, or without a prototype. */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'propertyIsEnumerable');
}

/** An encoder and a decoder of the library, made safe for a store. */
export interface Packer {
  /** The bytes of `value`, valid until the next call. */
  encode(value: unknown): Uint8Array;
  decode(source: Uint8Array, start: number, end: number): unknown;
}

/** Depth is checked before the library sees a value, so its own limit only must not be smaller. */
export function createPacker(extensionCodec: ExtensionCodecType<undefined>, takesBinary: boolean): Packer {
  const options = { extensionCodec, maxDepth: MAX_VALUE_DEPTH + 2, ignoreUndefined: true };
  const decoder = new Decoder({ extensionCodec });
  let encoder = new Encoder(options);
  return {
    encode(value) {
      let bytes: Uint8Array;
      try {
        bytes = encoder.encodeSharedRef(value);
      } catch (cause) {
        if (cause instanceof RangeError) throw new TooLargeError('A value is too large to be encoded in memory: store it in parts.', { cause });
        throw new InvalidArgumentError('A value changed while it was being encoded: store a copy that does not compute its properties.', { cause });
      }
      if (bytes.buffer.byteLength > KEPT_ENCODER_SIZE) encoder = new Encoder(options);
      return bytes;
    },
    decode(source, start, end) {
      const hasBinary = checkStructure(source, start, end);
      if (hasBinary && !takesBinary) throw damagedValue();
      try {
        return decoder.decode(hasBinary ? copyToOwnBuffer(source, start, end) : source.subarray(start, end));
      } catch (error) {
        throw error instanceof VarveError ? error : damagedValue();
      }
    },
  };
}

/**
 * Walks the bytes without building anything: exactly one value, and no length beyond the end. Every element takes a byte
 * at least, so the elements still awaited can never outnumber the bytes that are left. Returns whether there is binary.
 */
function checkStructure(source: Uint8Array, start: number, end: number): boolean {
  let offset = start;
  let awaited = 1;
  let hasBinary = false;
  while (awaited > 0) {
    if (awaited > end - offset) throw damagedValue();
    awaited--;
    const head = source[offset++];
    if (head < 0x80 || head >= 0xe0) continue;
    if (head < 0x90) {
      awaited += 2 * (head & 0x0f);
    } else if (head < 0xa0) {
      awaited += head & 0x0f;
    } else if (head < 0xc0) {
      offset += head & 0x1f;
    } else {
      const lengthSize = LENGTH_SIZES[head - 0xc0];
      if (lengthSize < 0 || offset + lengthSize > end) throw damagedValue();
      let length = FIXED_SIZES[head - 0xc0];
      if (lengthSize > 0) {
        let count = 0;
        for (let index = 0; index < lengthSize; index++) count = count * 0x100 + source[offset++];
        if (head >= 0xdc) {
          awaited += head >= 0xde ? 2 * count : count;
          count = 0;
        }
        length += count;
      }
      offset += length;
      if (head >= 0xc4 && head <= 0xc6) hasBinary = true;
    }
    if (offset > end) throw damagedValue();
  }
  if (offset !== end) throw damagedValue();
  return hasBinary;
}

/** For each head byte from C0 to DF: the size of its length field, or -1 for the byte that MessagePack never uses. */
const LENGTH_SIZES = [0, -1, 0, 0, 1, 2, 4, 1, 2, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4];
/** And the bytes that follow beside those which the length field counts: numbers, and the type of an extension. */
const FIXED_SIZES = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, 0, 0, 0, 0, 0, 0, 0];

const timestampsOnly: ExtensionCodecType<undefined> = {
  tryToEncode(value) {
    const data = encodeTimestampExtension(value);
    return data === null ? null : new ExtData(EXT_TIMESTAMP, data);
  },
  decode(data, type) {
    if (type !== EXT_TIMESTAMP) throw damagedValue();
    return decodeTimestampExtension(data);
  },
};

function refused(): InvalidArgumentError {
  return new InvalidArgumentError(
    'MessagePack cannot hold this value: it takes null, booleans, numbers, well-formed strings that do not begin with U+FEFF, ' +
      'Uint8Array, valid dates, arrays without holes and plain objects without the key __proto__. The codec \'default\' takes more.',
  );
}

function check(value: unknown, depth: number): void {
  if (value === null || typeof value === 'boolean' || typeof value === 'number') return;
  if (typeof value === 'string') {
    if (!isPlainText(value)) throw refused();
  } else if (typeof value !== 'object') {
    throw refused();
  } else if (depth > MAX_VALUE_DEPTH) {
    throw tooDeep();
  } else if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) check(value[index], depth + 1);
  } else if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw refused();
  } else if (!isBytes(value)) {
    if (!isPlainObject(value)) throw refused();
    for (const key of Object.keys(value)) {
      if (key === '__proto__' || !isPlainText(key)) throw refused();
      if (value[key] !== undefined) check(value[key], depth + 1);
    }
  }
}

/** The plain MessagePack of the codec `msgpack`. */
export function createMessagePack(): Packer {
  const packer = createPacker(timestampsOnly, true);
  return {
    encode(value) {
      check(value, 1);
      return packer.encode(value);
    },
    decode: packer.decode,
  };
}

/** The names of keyspaces as they stand in keys: every key of a keyspace begins, in its encoding, with the keyspace's name, so that each is one range of the store's order. */
import { InvalidArgumentError } from '../errors.js';

/** The first byte of every key of a keyspace; what begins with less belongs to the store itself. */
const KEYSPACE_MARK = 0x80;
const NAME_END = 0x00;
const NAME_SIZE_MAX = 255;

/** The bytes at which the keys of all keyspaces begin, and end. */
export const KEYSPACES_FROM = Uint8Array.of(KEYSPACE_MARK);
export const KEYSPACES_TO = Uint8Array.of(KEYSPACE_MARK + 1);

/** The bytes with which every key of a keyspace begins. @throws InvalidArgumentError. */
export function prefixOf(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (name === '' || bytes.length > NAME_SIZE_MAX || bytes.includes(NAME_END) || /[\ud800-\udfff]/u.test(name)) {
    throw new InvalidArgumentError(`The name of a keyspace is a text of 1 to ${NAME_SIZE_MAX} bytes, without U+0000 and lone surrogates.`);
  }
  return Uint8Array.of(KEYSPACE_MARK, ...bytes, NAME_END);
}

/** The first bytes behind everything that begins with a prefix. */
export function endOf(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice();
  end[end.length - 1]!++;
  return end;
}

/** The name of the keyspace that an encoded key belongs to. */
export function keyspaceNameOf(key: Uint8Array): string {
  return new TextDecoder().decode(key.subarray(1, key.indexOf(NAME_END)));
}

/** Where the keys of the keyspaces with a later name begin. */
export function nextName(name: string): Uint8Array {
  return endOf(prefixOf(name));
}

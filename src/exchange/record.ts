/** A record on its way out of a store or into one: key and value as they are stored. */
import type { EngineScan } from '../engine/scan.js';
import { InvalidArgumentError } from '../errors.js';

export interface ExchangeRecord {
  /** The encoded key, with the name of its keyspace before it where it is in one. */
  readonly keyBytes: Uint8Array;
  readonly bytes: Uint8Array;
  /** Which shape the bytes of the value have. */
  readonly kind: number;
  /** When it expires, in epoch milliseconds. */
  readonly expiry: number | undefined;
}

export type ExchangeFormat = 'ndjson' | 'binary';

const KEYSPACE_MARK = 0x80;

/** How many bytes of an encoded key are the name of its keyspace. */
export function prefixSizeOf(keyBytes: Uint8Array): number {
  return keyBytes[0] === KEYSPACE_MARK ? keyBytes.indexOf(0) + 1 : 0;
}

/** The record at which a scan stands. */
export function takeRecord(scan: EngineScan): ExchangeRecord {
  const { keyBytes, stored } = scan;
  return { keyBytes, bytes: stored.bytes, kind: stored.kind, expiry: scan.expiryOf(keyBytes) };
}

/** Checks a choice of formats. */
export function checkFormat(format: unknown): void {
  if (format !== undefined && format !== 'ndjson' && format !== 'binary') throw new InvalidArgumentError("The option format takes 'ndjson' or 'binary'.");
}

/** How long a value lives: the options of a put, as the moment at which it is gone. */
import { InvalidArgumentError } from './errors.js';

/** At most one of the two. */
export interface PutOptions {
  /** For how long from now, in milliseconds. */
  ttl?: number;
  /** Until when: epoch milliseconds, or a Date. */
  expiresAt?: number | Date;
}

/** Times stay below 2^48 milliseconds: the year 10889. */
const TIME_MAX = 2 ** 48 - 1;

/** The moment at which a value expires, in epoch milliseconds; undefined for one that does not. Throws `InvalidArgumentError`. */
export function expiryOf(options: PutOptions | undefined, now: () => number): number | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('The options of a put are an object with ttl or expiresAt.');
  const { ttl, expiresAt } = options;
  if (ttl === undefined && expiresAt === undefined) return undefined;
  if (ttl !== undefined && expiresAt !== undefined) throw new InvalidArgumentError('A put takes ttl or expiresAt, not both.');
  if (ttl !== undefined) {
    if (typeof ttl !== 'number' || !(ttl > 0)) throw new InvalidArgumentError('A ttl is a number of milliseconds above 0.');
    return ttl === Infinity ? undefined : Math.min(TIME_MAX, Math.ceil(now() + ttl));
  }
  const time = expiresAt instanceof Date ? expiresAt.getTime() : expiresAt!;
  if (typeof time !== 'number' || !(time >= 0)) throw new InvalidArgumentError('expiresAt is a Date, or a number of epoch milliseconds from 0 on.');
  return time === Infinity ? undefined : Math.min(TIME_MAX, Math.ceil(time));
}

/** What a page reads bit by bit: scans and histories, as iterators whose keys and values go straight into answers. */
import type { ExchangeRecord } from '../exchange/record.js';
import type { Change, Entry } from '../reader.js';
import { NO_EXPIRY, type FrameWriter, type StoredBytes } from './frames.js';
import * as protocol from './protocol.js';

/** How many bytes of items one answer takes, more or less: few at first, because who leaves a loop early has not read far. */
const FIRST_SIZE = 16 << 10;
const LATER_SIZE = 128 << 10;

export class Cursor {
  readonly #sort: number;
  readonly #items: Iterator<unknown>;
  #size = FIRST_SIZE;

  constructor(sort: number, items: Iterator<unknown>) {
    this.#sort = sort;
    this.#items = items;
  }

  /** Writes as many items as one answer takes. Returns whether there are more. */
  fill(answer: FrameWriter): boolean {
    const start = answer.size;
    answer.byte(1);
    answer.word(0);
    let count = 0;
    let isDone = false;
    while (!isDone && answer.size - start < this.#size) {
      const { done, value } = this.#items.next();
      isDone = done === true;
      if (isDone) break;
      this.#finish(answer, value);
      count++;
    }
    this.#size = LATER_SIZE;
    answer.bytes[start] = isDone ? 0 : 1;
    answer.patch(start + 1, count);
    return !isDone;
  }

  /** Writes what the iterator has not: its keys and values are in the answer already, in the order in which it read them. */
  #finish(answer: FrameWriter, item: unknown): void {
    if (this.#sort === protocol.SORT_RECORDS) {
      const { keyBytes, bytes, kind, expiry } = item as ExchangeRecord;
      answer.block(keyBytes, 0, keyBytes.length);
      answer.value(kind, bytes, 0, bytes.length);
      answer.number(expiry ?? NO_EXPIRY);
    } else if (this.#sort === protocol.SORT_ENTRIES) answer.number((item as Entry<StoredBytes>).version);
    else if (this.#sort === protocol.SORT_CHANGES) {
      const { deleted, version, time } = item as Change<StoredBytes>;
      if (deleted) answer.absent();
      answer.number(version);
      answer.number(time);
    }
  }

  end(): void {
    this.#items.return?.();
  }
}

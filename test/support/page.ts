/** A page and the worker that it calls, in one process: their messages cross as they do between two, each in a turn of its own. */
import { codecsOf } from '../../src/codec/chosen.js';
import type { Key } from '../../src/codec/key.js';
import { Space } from '../../src/codec/space.js';
import { codecByName } from '../../src/codec/value.js';
import { compiledCore } from '../../src/engine/compile.js';
import { spaceOf, type KeyspaceOptions } from '../../src/keyspace-options.js';
import { resolveOptions, type OpenOptions } from '../../src/options.js';
import { Link } from '../../src/page/link.js';
import { storeSettingsOf } from '../../src/page/open-shared.js';
import { SharedCollection, SharedKeyspace } from '../../src/page/shared-collection.js';
import { SharedSnapshot } from '../../src/page/shared-snapshot.js';
import { SharedTransaction } from '../../src/page/shared-transaction.js';
import { Desk } from '../../src/worker/desk.js';
import { openRaw, type RawStore, type Target } from '../../src/worker/raw.js';

/** The next message crosses. */
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

export class PageOfStore {
  readonly link = new Link(':memory:', () => undefined);
  readonly db: SharedCollection<unknown>;
  /** The store, as its worker has it. */
  readonly store: RawStore;
  readonly #values = codecByName('default');
  readonly #space = new Space<Key, unknown>(undefined, undefined, this.#values);

  private constructor(store: RawStore, target: Target) {
    this.store = store;
    this.db = new SharedCollection(this.link, this.#space);
    const desk = new Desk(store, target, true, (answers) => void turn().then(() => this.link.answer(answers)));
    this.link.begin({ isOwn: true, post: (calls) => void turn().then(() => desk.handle(calls)) });
  }

  /** Opens a store without a file. */
  static async open(options: OpenOptions = {}): Promise<PageOfStore> {
    const target: Target = { answer: undefined };
    return new PageOfStore(await openRaw(':memory:', storeSettingsOf(resolveOptions(options)), compiledCore(), target, () => undefined), target);
  }

  keyspace<W = unknown, K = Key, In = W>(name: string, options: KeyspaceOptions<W, K, In> = {}): SharedKeyspace<W, K, In> {
    return new SharedKeyspace<W, K, In>(this.link, spaceOf(name, options, codecsOf(undefined), this.#values));
  }

  snapshot(): SharedSnapshot {
    return new SharedSnapshot(this.link, this.#space);
  }

  begin(): SharedTransaction {
    return new SharedTransaction(this.link, this.#space, 'serializable');
  }

  /** How many views of the page the store has open. */
  get openViews(): number {
    return this.store.stats().snapshots.open;
  }
}

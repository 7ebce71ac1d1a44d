/**
 * A history on lists, played again in the order of the versions that the store gave: does each transaction find again what it found, at the version at which it began, and a serializable one
 * that wrote also where it committed; and had nobody written, since it began, what one under snapshot isolation wrote? That is the store's own account of its order. Linear.
 */
import { isSameList, type Act, type List, type ListHistory, type Txn } from './list-history.js';

interface Held {
  readonly list: List;
  /** The version of the last change. */
  readonly version: number;
}

class Replay {
  readonly #state: Held[];

  constructor(keyCount: number) {
    this.#state = Array.from({ length: keyCount }, () => ({ list: undefined, version: 0 }));
  }

  /** Does an act on top of what the transaction has written. The first thing that does not fit, in words. */
  #do(act: Act, own: Map<number, List>): string | undefined {
    const listOf = (key: number): List => (own.has(key) ? own.get(key) : this.#state[key]!.list);
    if (act.kind === 'append') own.set(act.key, [...(listOf(act.key) ?? []), act.element]);
    else if (act.kind === 'delete') own.set(act.key, undefined);
    else if (act.kind === 'read') return isSameList(act.list, listOf(act.key)) ? undefined : `found [${act.list?.join(' ')}] at key ${act.key} where [${listOf(act.key)?.join(' ')}] was`;
    else {
      let index = 0;
      for (let key = act.from; key < act.to; key++) {
        const found = act.keys[index] === key ? act.lists[index++] : undefined;
        if (!isSameList(found, listOf(key))) return `found [${found?.join(' ')}] at key ${key} by a scan where [${listOf(key)?.join(' ')}] was`;
      }
    }
    return undefined;
  }

  /** Does a transaction as of the state. Returns what it writes, or what does not fit. */
  run({ acts }: Txn): string | Map<number, List> {
    const own = new Map<number, List>();
    for (const act of acts) {
      const contradiction = this.#do(act, own);
      if (contradiction !== undefined) return contradiction;
    }
    return own;
  }

  /** Takes over what a transaction wrote. */
  commit({ isolation, begin, version }: Txn, writes: ReadonlyMap<number, List>): string | undefined {
    for (const [key, list] of writes) {
      const before = this.#state[key]!;
      if (isolation === 'snapshot' && before.version > begin) return `wrote key ${key}, which had been written since it began`;
      if (list !== undefined || before.list !== undefined) this.#state[key] = { list, version };
    }
    return undefined;
  }
}

/** The first committed transaction that does not fit the order of the versions, in words; undefined where all fit. */
export function versionContradiction({ txns, keyCount }: ListHistory): string | undefined {
  const committed = txns.filter(({ status }) => status === 'committed');
  const readers = committed.toSorted((left, right) => left.begin - right.begin);
  const writers = committed.filter(({ version }) => version > 0).sort((left, right) => left.version - right.version);
  const replay = new Replay(keyCount);
  const name = (txn: Txn): string => `a transaction that began at version ${txn.begin}${txn.version > 0 ? ` and committed as version ${txn.version}` : ''}`;
  let next = 0;
  let last = 0;
  const readUpTo = (version: number): string | undefined => {
    for (; next < readers.length && readers[next]!.begin < version; next++) {
      const found = replay.run(readers[next]!);
      if (typeof found === 'string') return `${name(readers[next]!)} ${found}`;
    }
    return undefined;
  };
  for (const writer of writers) {
    if (writer.version === last) return `version ${last} was given twice`;
    last = writer.version;
    const contradiction = readUpTo(writer.version);
    if (contradiction !== undefined) return contradiction;
    // Under snapshot isolation the writes are those that follow from what it saw: nobody else has written there.
    const writes = replay.run(writer.isolation === 'serializable' ? writer : { ...writer, acts: writer.acts.filter(({ kind }) => kind === 'append' || kind === 'delete') });
    if (typeof writes === 'string') return `${name(writer)} ${writes}, when it committed`;
    const late = replay.commit(writer, writes);
    if (late !== undefined) return `${name(writer)} ${late}`;
  }
  return readUpTo(Infinity);
}

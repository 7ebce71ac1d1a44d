/** The exports with which transactions are made. A session is a number for the facade: where it stands. */
import * as puts from '../commit/put';
import { Log, tailAddress } from '../log/log';
import { setNumber } from '../memory/control';
import { Windows } from '../memory/windows';
import { provideBlock, relieve } from '../paging/evict';
import * as commits from '../sessions/commit';
import { ENTRY_DELETED, ENTRY_READ, ENTRY_WRITTEN, Session, beginSession as begin, endSession as end, entryFor, expectVersion, finishWrite, markWritten, roomFor } from '../sessions/session';
import { RECORD_KIND_MASK } from '../shared/format';
import * as layout from '../shared/layout';
import { STATUS_ABSENT, STATUS_MEMORY_FULL, STATUS_OK } from '../shared/status';
import { assertHealthy } from '../verify/verify';
import { unpin } from './versions';
import { pin } from '../versions/pins';
import { requiresBlock } from '../verify/contract';

/** Begins a session at the newest version, and at a clock in epoch milliseconds. Returns 0 where memory is at its limit. O(1). */
export function beginSession(clock: f64): usize {
  const pinned = pin(Log.version);
  if (pinned === null) return 0;
  const session = begin(pinned, <u64>clock, tailAddress());
  if (session === null) {
    unpin(changetype<usize>(pinned));
    return 0;
  }
  return changetype<usize>(session);
}

/** Gives back what a session holds, whether it has committed or not. */
export function endSession(session: usize): void {
  requiresBlock(session, 128);
  const ended = changetype<Session>(session);
  const pinned = ended.pin;
  end(ended);
  if (pinned !== null) unpin(changetype<usize>(pinned));
}

/** Looks up the key in the key window as the session sees it: its own writes first. The read counts when it commits. */
export function sessionGet(session: usize, keySize: u32): i32 {
  requiresBlock(session, 128);
  relieve();
  const reader = changetype<Session>(session);
  const entry = entryFor(reader, Windows.key, keySize);
  if (entry === null) return STATUS_MEMORY_FULL;
  if ((entry.flags & ENTRY_WRITTEN) != 0) {
    setNumber(layout.CONTROL_VERSION, 0);
    return (entry.flags & ENTRY_DELETED) != 0 ? STATUS_ABSENT : puts.showValue(entry.value, entry.valueSize, entry.kind & RECORD_KIND_MASK);
  }
  entry.flags |= ENTRY_READ;
  return puts.getAt(Windows.key, keySize, reader.version, reader.clock);
}

/** Where a value of up to `size` bytes for the key in the key window shall be written; 0 where memory is at its limit. Then call `sessionPut`. */
export function sessionRoom(session: usize, keySize: u32, size: u32): usize {
  requiresBlock(session, 128);
  provideBlock(size);
  return roomFor(changetype<Session>(session), Windows.key, keySize, size);
}

/** The value stands there. With the flag of an expiry, it expires at `expiry` epoch milliseconds. */
export function sessionPut(session: usize, size: u32, flags: u32, expiry: f64): void {
  requiresBlock(session, 128);
  finishWrite(changetype<Session>(session), size, flags, <u64>expiry);
}

/** Notes the delete of the key in the key window. */
export function sessionDelete(session: usize, keySize: u32): i32 {
  requiresBlock(session, 128);
  const writer = changetype<Session>(session);
  const entry = entryFor(writer, Windows.key, keySize);
  if (entry === null) return STATUS_MEMORY_FULL;
  markWritten(writer, entry, true);
  return STATUS_OK;
}

/** The put or delete that was noted last is a cas. */
export function sessionExpect(session: usize, expected: f64): void {
  requiresBlock(session, 128);
  expectVersion(changetype<Session>(session), <u64>expected);
}

/** Commits a session that writes. Returns the version, 0 where nothing had an effect, or a status; after one of what the log needs, call it again or `cancelSession`. */
export function commitSession(session: usize, isSnapshot: bool): f64 {
  requiresBlock(session, 128);
  relieve();
  const result = commits.commit(changetype<Session>(session), isSnapshot);
  assertHealthy();
  return result;
}

/** Takes back what `commitSession` has staged. */
export function cancelSession(session: usize): void {
  requiresBlock(session, 128);
  commits.cancel(changetype<Session>(session));
  assertHealthy();
}

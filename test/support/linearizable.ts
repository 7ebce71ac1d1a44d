/**
 * Linearizability of what was done to one key: is there an order in which every operation takes effect at one moment between its call and its answer, and finds what it found? The search of
 * Wing and Gong (1993) as Lowe (2017) has it: depth first, and never twice from the same set of operations that have taken effect and the same value.
 */

/** An operation on a register that holds a number, or nothing (undefined). Values are written once, so that one stands for its version. */
export interface RegisterOp {
  readonly kind: 'get' | 'put' | 'delete' | 'cas';
  /** What was put, or is put by the cas: undefined deletes. */
  readonly value?: number | undefined;
  /** What was found by a get; what a cas expects. */
  readonly seen?: number | undefined;
  /** Whether a cas succeeded, or a delete found something to delete. */
  readonly ok?: boolean;
  readonly invoked: number;
  /** Infinity where no answer came: then it may have taken effect at any time since, or never, and what it found is not known. */
  readonly completed: number;
}

/** A call or an answer, in the order in which they came. */
interface Event {
  readonly op: number;
  readonly isCall: boolean;
  readonly time: number;
  before: Event | undefined;
  next: Event | undefined;
}

/** The value after an operation; false where it cannot have taken effect on this one. */
function apply(op: RegisterOp, value: number | undefined): { readonly value: number | undefined } | false {
  const isKnown = op.completed !== Infinity;
  switch (op.kind) {
    case 'get':
      return !isKnown || op.seen === value ? { value } : false;
    case 'put':
      return { value: op.value };
    case 'delete':
      return !isKnown || op.ok === (value !== undefined) ? { value: undefined } : false;
    case 'cas': {
      const isMatch = op.seen === value;
      return !isKnown || op.ok === isMatch ? { value: isMatch ? op.value : value } : false;
    }
  }
}

/** The list of events, behind a head that is none. */
function eventsOf(ops: readonly RegisterOp[]): { readonly head: Event; readonly answers: ReadonlyMap<number, Event> } {
  const events: Event[] = [];
  for (const [op, { invoked, completed }] of ops.entries()) {
    events.push({ op, isCall: true, time: invoked, before: undefined, next: undefined });
    if (completed !== Infinity) events.push({ op, isCall: false, time: completed, before: undefined, next: undefined });
  }
  events.sort((left, right) => left.time - right.time);
  const head: Event = { op: -1, isCall: false, time: -1, before: undefined, next: undefined };
  const answers = new Map<number, Event>();
  let last = head;
  for (const event of events) {
    event.before = last;
    last.next = event;
    last = event;
    if (!event.isCall) answers.set(event.op, event);
  }
  return { head, answers };
}

function lift(event: Event): void {
  event.before!.next = event.next;
  if (event.next !== undefined) event.next.before = event.before;
}

function putBack(event: Event): void {
  event.before!.next = event;
  if (event.next !== undefined) event.next.before = event;
}

/** Whether an order explains the operations on one key, which begins with nothing. */
export function isLinearizable(ops: readonly RegisterOp[]): boolean {
  const { head, answers } = eventsOf(ops);
  const known = new Set<string>();
  const taken: { readonly call: Event; readonly value: number | undefined; readonly done: bigint }[] = [];
  let value: number | undefined;
  let done = 0n;
  let left = answers.size;
  let event = head.next;
  while (left > 0) {
    // Behind the last event none is left to try: as before an answer whose call has not taken effect.
    if (event?.isCall === true) {
      const after = apply(ops[event.op]!, value);
      const nowDone = done | (1n << BigInt(event.op));
      const name = after === false ? '' : `${nowDone.toString(36)} ${after.value}`;
      if (after === false || known.has(name)) {
        event = event.next;
        continue;
      }
      known.add(name);
      taken.push({ call: event, value, done });
      ({ value } = after);
      done = nowDone;
      lift(event);
      const answer = answers.get(event.op);
      if (answer !== undefined) {
        lift(answer);
        left--;
      }
      event = head.next;
      continue;
    }
    const undone = taken.pop();
    if (undone === undefined) return false;
    ({ value, done } = undone);
    const answer = answers.get(undone.call.op);
    if (answer !== undefined) {
      putBack(answer);
      left++;
    }
    putBack(undone.call);
    event = undone.call.next;
  }
  return true;
}

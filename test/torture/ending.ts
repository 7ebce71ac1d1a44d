/** What has to be undone on the machine, however the run ends: mounts, devices, processes, folders. */

interface Undoing {
  readonly what: string;
  readonly undo: () => unknown;
  /** Once it is being undone. */
  done: Promise<void> | undefined;
}

/** What has to be undone, in reverse order, however the run ends. */
const undoing: Undoing[] = [];
let ending: Promise<void> | undefined;

/** Whether the run is ending: what is cut short then has nothing to say. */
export const isEnding = (): boolean => ending !== undefined;

/** Undoes an entry, once; whoever asks again waits for the same. */
function undo(entry: Undoing): Promise<void> {
  return (entry.done ??= (async () => {
    try {
      await entry.undo();
    } finally {
      undoing.splice(undoing.indexOf(entry), 1);
    }
  })());
}

/** Notes how something is undone. Returns a function that undoes it now. Throws when the run is ending: what was begun is then undone with the rest. */
export function onEnd(what: string, action: () => unknown): () => Promise<void> {
  const entry: Undoing = { what, undo: action, done: undefined };
  undoing.push(entry);
  if (ending !== undefined) throw new Error('the run is ending');
  return () => undo(entry);
}

/** Undoes what was noted since there were so many entries, and goes on where something fails. */
async function undoTo(count: number): Promise<void> {
  while (undoing.length > count) {
    const entry = undoing.at(-1)!;
    try {
      await undo(entry);
    } catch (error) {
      process.stderr.write(`could not undo ${entry.what}: ${error instanceof Error ? error.message : String(error)}\n`);
    }
  }
}

/** Undoes everything that is still to be undone. Nothing new is begun after that. */
export function undoAll(): Promise<void> {
  return (ending ??= undoTo(0));
}

/** Runs a part of the run, and undoes what it has left. */
export async function scoped(action: () => Promise<void>): Promise<void> {
  const count = undoing.length;
  try {
    await action();
  } finally {
    await undoTo(count);
  }
}

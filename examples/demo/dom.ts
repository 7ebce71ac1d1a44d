/** What every part of the page asks of the document, and how it words numbers and times. */

/** The element of an id that the page has. */
export function byId<T extends Element = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element ${id}.`);
  return found as unknown as T;
}

/** An element with a class and what is in it. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, ...content: (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  if (className !== '') made.className = className;
  made.append(...content);
  return made;
}

const whole = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

export const formatCount = (count: number): string => whole.format(count);
export const formatTime = (time: number): string => clock.format(time);

/** Bytes in the unit that fits. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 2 ** 20 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}

/** What went wrong, for a person. */
export const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/**
 * Runs work that is asked for again and again, one at a time: what is asked for while it runs is run once more behind it, and what is asked for twice meanwhile is run once.
 */
export function latest(work: () => Promise<void>, onError: (error: unknown) => void): () => void {
  let isRunning = false;
  let isWanted = false;
  const run = async (): Promise<void> => {
    isRunning = true;
    while (isWanted) {
      isWanted = false;
      try {
        await work();
      } catch (error) {
        onError(error);
      }
    }
    isRunning = false;
  };
  return () => {
    isWanted = true;
    if (!isRunning) void run();
  };
}

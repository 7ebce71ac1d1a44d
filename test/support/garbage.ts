/** Collecting garbage when a test says so, in V8: what nobody holds any more is then gone, and who watches it is told in a turn of its own. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/** Collects all garbage. The function is there once a flag is set, in a new context. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}

/** Collects garbage so many times, in turns of their own, or as long as `isAwaited`. */
export async function collectFor(turns: number, isAwaited = (): boolean => true): Promise<void> {
  for (let turn = 0; turn < turns && isAwaited(); turn++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

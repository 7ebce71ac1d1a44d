/** The values that lookups show in memory, on their way into bytes of the caller's. */
import { SMALL_VALUE_SIZE } from '../../assembly/shared/layout.js';

export class ShownValues {
  /** Views of a small value, by its size: it always stands at one place, and a view costs more to make than the value to copy. Those of memory that has grown since have lost their place. */
  readonly #views: Uint8Array[] = [];

  /** Copies the value at `memory[start, start + size)` to the beginning of `target`, which has room for it. */
  copy(memory: Uint8Array, start: number, size: number, target: Uint8Array): void {
    if (size > SMALL_VALUE_SIZE) {
      target.set(memory.subarray(start, start + size));
      return;
    }
    let view = this.#views[size];
    if (view === undefined || view.byteOffset !== start) view = this.#views[size] = memory.subarray(start, start + size);
    target.set(view);
  }
}

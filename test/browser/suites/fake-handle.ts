/** A synchronous access handle over bytes in memory, which fails and falls short as it is told. */
import type { SyncAccessHandle } from '../../../src/device/opfs-device.js';

export class FakeHandle implements SyncAccessHandle {
  content = new Uint8Array(0);
  /** What every call throws, if anything. */
  failure: Error | undefined;
  /** The most bytes that one read or write takes. */
  most = Infinity;
  flushCount = 0;

  #fail(): void {
    if (this.failure !== undefined) throw this.failure;
  }

  getSize(): number {
    this.#fail();
    return this.content.length;
  }

  read(target: Uint8Array, { at }: { at: number }): number {
    this.#fail();
    const bytes = this.content.subarray(at, at + Math.min(target.length, this.most));
    target.set(bytes);
    return bytes.length;
  }

  write(source: Uint8Array, { at }: { at: number }): number {
    this.#fail();
    const bytes = source.subarray(0, this.most);
    if (at + bytes.length > this.content.length) this.truncate(at + bytes.length);
    this.content.set(bytes, at);
    return bytes.length;
  }

  flush(): void {
    this.flushCount++;
    this.#fail();
  }

  truncate(size: number): void {
    this.#fail();
    const content = new Uint8Array(size);
    content.set(this.content.subarray(0, size));
    this.content = content;
  }

  close(): void {
    this.failure = undefined;
  }
}

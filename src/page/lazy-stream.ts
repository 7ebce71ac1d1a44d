/** Streams whose making is loaded when somebody reads them. */

/** A stream of what `open` gives, a chunk for each that is asked for. `end` is told when nothing more is wanted, once or more often. */
export function lazyStream(open: () => Promise<AsyncGenerator<Uint8Array, void>>, signal: AbortSignal | undefined, end: () => void): ReadableStream<Uint8Array> {
  let chunks: Promise<AsyncGenerator<Uint8Array, void>> | undefined;
  let onAbort = (): void => undefined;
  const finish = (): void => {
    signal?.removeEventListener('abort', onAbort);
    end();
    // What it holds itself it gives back, whatever it was about to say.
    chunks?.then((begun) => begun.return()).catch(() => undefined);
  };
  return new ReadableStream<Uint8Array>({
    start: (controller) => {
      onAbort = () => {
        controller.error(signal!.reason);
        finish();
      };
      signal?.addEventListener('abort', onAbort);
    },
    pull: async (controller) => {
      try {
        const { done, value } = await (await (chunks ??= open())).next();
        // What was aborted meanwhile has failed already.
        if (signal?.aborted === true) return;
        if (done !== true) {
          controller.enqueue(value);
          return;
        }
        controller.close();
      } catch (error) {
        finish();
        throw error;
      }
      finish();
    },
    cancel: finish,
  }, { highWaterMark: 0 });
}

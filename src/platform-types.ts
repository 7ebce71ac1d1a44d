/**
 * The names of a platform's types that the types of this library take, for programs whose libraries do not have them: there they are empty, and elsewhere these declarations add nothing to those of the
 * platform. A program that can make a signal or a stream knows its whole type.
 */
export {};

declare global {
  interface AbortSignal {}
  interface ReadableStream<R = any> {}
  interface WritableStream<W = any> {}
  interface Worker {}
}

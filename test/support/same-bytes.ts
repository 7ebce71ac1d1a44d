/** Whether two arrays hold the same bytes: where vitest's own comparison would take seconds, and in browsers too. */
export function sameBytes(left: unknown, right: Uint8Array): boolean {
  return left instanceof Uint8Array && left.length === right.length && left.every((byte, index) => byte === right[index]);
}

/** Bytes as text, on every platform. */

/** So many bytes become arguments of one call. */
const CHUNK_SIZE = 0x2000;

export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let offset = 0; offset < bytes.length; offset += CHUNK_SIZE) text += String.fromCharCode(...bytes.subarray(offset, offset + CHUNK_SIZE));
  return btoa(text);
}

/** The bytes of a text; undefined where it is no base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  let binary: string;
  try {
    binary = atob(text);
  } catch {
    return undefined;
  }
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < bytes.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

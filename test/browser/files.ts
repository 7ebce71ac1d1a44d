/** What the tests read of the project's files, for suites that run inside a browser's worker: the server that gave the suite gives them too. */

/** The content of a file of the project. Waits for it, which only a worker may. */
export function readFileSync(address: URL): Uint8Array {
  const request = new XMLHttpRequest();
  request.open('GET', address, false);
  request.responseType = 'arraybuffer';
  request.send();
  if (request.status !== 200) throw new Error(`${address.href} was answered with ${request.status}`);
  return new Uint8Array(request.response as ArrayBuffer);
}

/** Messages between processes as lines of JSON, which every runtime can read and write on its standard streams. */

/**
 * Calls `onMessage` with what each line holds.
 * @param {NodeJS.ReadableStream} stream
 * @param {(message: any) => void} onMessage
 */
export function readMessages(stream, onMessage) {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onMessage(JSON.parse(line));
  });
}

/** @param {NodeJS.WritableStream} stream @param {object} message */
export function writeMessage(stream, message) {
  stream.write(`${JSON.stringify(message)}\n`);
}

/** What the person at the terminal sees. */

/** @param {string} text */
export const say = (text) => void process.stdout.write(`${text}\n`);

/** @param {number} value */
export const round = (value) => Math.round(value).toLocaleString('en-US');

/** @param {readonly (readonly [string, string])[]} rows */
export function sayTable(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) say(`  ${name.padEnd(width)}  ${value}`);
}

/** A line that grows on a terminal, and one line for each tenth elsewhere. @param {string} what @param {number} total */
export function progress(what, total) {
  let shown = -1;
  return (/** @type {number} */ done) => {
    const percent = Math.floor((done / total) * 100);
    if (percent === shown || (!process.stdout.isTTY && percent % 10 !== 0)) return;
    shown = percent;
    const line = `  ${what} ${String(percent).padStart(3)} %  ${round(done)} of ${round(total)}`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}`);
    else say(line);
  };
}

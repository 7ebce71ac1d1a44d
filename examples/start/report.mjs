/** What the person at the terminal sees. */

/** @param {string} text */
export const say = (text) => void process.stdout.write(`${text}\n`);

/** @param {number} value */
export const round = (value) => Math.round(value).toLocaleString('en-US');

/** Rows of a name, a figure and its unit. @param {readonly (readonly [string, number, string])[]} rows */
export function sayTable(rows) {
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  const figureWidth = Math.max(...rows.map(([, figure]) => round(figure).length));
  for (const [name, figure, unit] of rows) say(`  ${name.padEnd(nameWidth)}  ${round(figure).padStart(figureWidth)} ${unit}`);
}

/** A line that grows on a terminal, and one line for each tenth elsewhere. @param {string} what @param {number} total */
export function progress(what, total) {
  const step = process.stdout.isTTY ? 1 : 10;
  let shown = -1;
  return (/** @type {number} */ done) => {
    const percent = Math.floor((done / total) * (100 / step)) * step;
    if (percent === shown) return;
    shown = percent;
    const line = `  ${what} ${String(percent).padStart(3)} %  ${round(done)} of ${round(total)}`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}`);
    else say(line);
  };
}

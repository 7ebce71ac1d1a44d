/** The page as one HTML document: no script, nothing fetched, light or dark as its reader's machine is, and as narrow as a phone. */
import { colorIndex } from './sections.mjs';

/** @typedef {import('./sections.mjs').Section} Section */

const STYLE = `
:root { color-scheme: light dark; --paper: #fcfcfa; --ink: #1d2329; --soft: #5c6670; --line: #e3e5e4; --card: #ffffff;
  --series-0: #1f6feb; --series-1: #74a9f5; --series-2: #d1495b; --series-3: #2a9d63; --series-4: #b8860b; --series-5: #8e5bd0; --series-6: #d76f1e; --series-7: #6b7683; --series-8: #1d2329; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181c; --ink: #e8eaec; --soft: #9aa4ae; --line: #2b3239; --card: #1a1f24;
  --series-0: #6cb0ff; --series-1: #3c7ad1; --series-2: #ff8593; --series-3: #5fd39a; --series-4: #e6be55; --series-5: #c39bff; --series-6: #ffa35e; --series-7: #9aa4ae; --series-8: #e8eaec; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1160px; padding: 24px 16px 64px; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3em; } h2 { font-size: 1.25rem; margin: 2.4em 0 .3em; } p { max-width: 70ch; margin: .4em 0 1em; color: var(--soft); }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 520px), 1fr)); gap: 16px; align-items: start; }
figure { margin: 0; padding: 14px 14px 6px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
figcaption { font-size: .9rem; font-weight: 600; margin-bottom: 4px; } .drawn { overflow-x: auto; } svg { display: block; width: 100%; min-width: 460px; height: auto; color: var(--ink); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 12px; padding: 0; list-style: none; font-size: .88rem; } .legend li::before { content: ""; display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin-right: .45em; background: var(--color); }
details { margin-top: 12px; } summary { cursor: pointer; font-size: .92rem; } .scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .84rem; font-variant-numeric: tabular-nums; margin: 8px 0; }
th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line); white-space: nowrap; } th { color: var(--soft); font-weight: 600; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; } .card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px 14px; } .card b { display: block; font-size: 1.5rem; line-height: 1.2; } .card span { color: var(--soft); font-size: .86rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; font-size: .86rem; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
`;

/** @param {unknown} text */
export const escape = (text) => String(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** @param {string} text */
const paragraph = (text) => `<p>${escape(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')}</p>`;

/** @param {Section['tables'][number]} table */
function renderTable({ caption, head, rows, isOpen = false }) {
  if (rows.length === 0) return '';
  const cells = (/** @type {string[]} */ row, /** @type {string} */ tag) => `<tr>${row.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`;
  return `<details${isOpen ? ' open' : ''}><summary>${escape(caption)}</summary><div class="scroll"><table><thead>${cells(head, 'th')}</thead><tbody>${rows.map((row) => cells(row, 'td')).join('\n')}</tbody></table></div></details>`;
}

/** @param {Section} section */
function renderSection(section) {
  const legend = (section.legend ?? []).map((name, index) => `<li style="--color: var(--series-${colorIndex(section, name) ?? index})">${escape(name)}</li>`).join('');
  const charts = section.charts.map(({ caption, svg }) => `<figure><figcaption>${escape(caption)}</figcaption><div class="drawn">${svg}</div></figure>`).join('\n');
  return `<section><h2>${escape(section.title)}</h2>${paragraph(section.text)}${legend === '' ? '' : `<ul class="legend">${legend}</ul>`}<div class="charts">${charts}</div>${section.tables.map(renderTable).join('\n')}</section>`;
}

/**
 * @param {Section[]} sections
 * @param {{ value: string, what: string }[]} cards what is said first
 * @param {Record<string, unknown>} environment
 */
export function renderDocument(sections, cards, environment) {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>varve: benchmarks</title><style>${STYLE}</style></head>
<body><h1>varve: benchmarks</h1>
${paragraph('Drawn from the raw results of the runs. Rates of one machine at one time say little; ratios of rounds that took turns say more, and those are what the charts show.')}
<div class="cards">${cards.map(({ value, what }) => `<div class="card"><b>${escape(value)}</b><span>${escape(what)}</span></div>`).join('')}</div>
${sections.map(renderSection).join('\n')}
<h2>Where and with what</h2><dl>${Object.entries(environment).map(([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`).join('')}</dl>
</body></html>
`;
}

/** What names a row wherever rows of several runs meet: in tables, baselines and contests. */

/** @param {{ name: string, durability: string, what: string }} row */
export function identityOf({ name, durability, what }) {
  return `${name} · ${durability} · ${what}`;
}

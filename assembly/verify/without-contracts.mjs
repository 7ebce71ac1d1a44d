/**
 * A transform of the compiler for the release build: takes out every call of `contract.ts`, arguments and all. The optimizer alone would keep the loads among the arguments, because a load may trap.
 */
const CONTRACT = /^(requires\w*|ensures)$/;

function isContract(statement) {
  return CONTRACT.test(statement.expression?.expression?.text ?? '');
}

/** Takes the calls out of a statement and everything within it. */
function strip(statement) {
  if (statement === null || typeof statement !== 'object') return;
  if (Array.isArray(statement.statements)) {
    statement.statements = statement.statements.filter((inner) => !isContract(inner));
    statement.statements.forEach(strip);
  }
  for (const part of ['body', 'ifTrue', 'ifFalse']) strip(statement[part] ?? null);
}

export default class WithoutContracts {
  afterParse(parser) {
    for (const source of parser.sources) if (source.internalPath !== 'assembly/verify/contract') source.statements.forEach(strip);
  }
}

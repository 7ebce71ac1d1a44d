/**
 * Counters in TypeScript and JavaScript: one for each function, each turn of a loop, each way of a condition, each case and each `catch`. A bundle in which the chosen files have
 * them counts into the array that `globalThis.varveArms` holds when it is loaded. One increment of a byte each: a codec with counters is nearly as fast as one without.
 */
import { build, type Plugin } from 'esbuild';
import { readFileSync } from 'node:fs';
import ts from 'typescript';

/** More counters than all codecs together need. */
export const SOURCE_ARMS_MAX = 4096;

export interface InstrumentedBundle {
  /** The module as text. */
  readonly code: string;
  readonly armCount: number;
  /** Numbers that the code compares with: between 0 and 255, or of four bytes. */
  readonly constants: readonly number[];
}

class SourceCounters {
  count = 0;
  readonly constants = new Set<number>();

  /** The text of a file with counters. */
  instrument(path: string, text: string): string {
    const file = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
    const { transformed } = ts.transform(file, [(context) => (root) => ts.visitEachChild(root, this.#visitor(context), context)]);
    return `const varveArms = globalThis.varveArms;\n${ts.createPrinter().printFile(transformed[0]!)}`;
  }

  #hit(): ts.Expression {
    const { factory } = ts;
    return factory.createPostfixIncrement(factory.createElementAccessExpression(factory.createIdentifier('varveArms'), this.count++));
  }

  #counted(expression: ts.Expression): ts.Expression {
    return ts.factory.createParenthesizedExpression(ts.factory.createComma(this.#hit(), expression));
  }

  #block(statement: ts.Statement | undefined): ts.Block {
    const hit = ts.factory.createExpressionStatement(this.#hit());
    if (statement === undefined) return ts.factory.createBlock([hit]);
    return ts.factory.createBlock([hit, ...(ts.isBlock(statement) ? statement.statements : [statement])], true);
  }

  #visitor(context: ts.TransformationContext): ts.Visitor {
    const { factory } = ts;
    const visit: ts.Visitor = (node) => {
      if (ts.isNumericLiteral(node)) this.constants.add(Number(node.text));
      // Types and imports hold nothing that runs.
      if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) return node;
      const seen = ts.visitEachChild(node, visit, context);
      if (ts.isIfStatement(seen)) return factory.updateIfStatement(seen, seen.expression, this.#block(seen.thenStatement), this.#block(seen.elseStatement));
      if (ts.isConditionalExpression(seen)) {
        return factory.updateConditionalExpression(seen, seen.condition, seen.questionToken, this.#counted(seen.whenTrue), seen.colonToken, this.#counted(seen.whenFalse));
      }
      if (ts.isBinaryExpression(seen) && [ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken].includes(seen.operatorToken.kind)) {
        return factory.updateBinaryExpression(seen, seen.left, seen.operatorToken, this.#counted(seen.right));
      }
      if (ts.isForStatement(seen)) return factory.updateForStatement(seen, seen.initializer, seen.condition, seen.incrementor, this.#block(seen.statement));
      if (ts.isWhileStatement(seen)) return factory.updateWhileStatement(seen, seen.expression, this.#block(seen.statement));
      if (ts.isForOfStatement(seen)) return factory.updateForOfStatement(seen, seen.awaitModifier, seen.initializer, seen.expression, this.#block(seen.statement));
      if (ts.isCaseClause(seen)) return factory.updateCaseClause(seen, seen.expression, [factory.createExpressionStatement(this.#hit()), ...seen.statements]);
      if (ts.isCatchClause(seen)) return factory.updateCatchClause(seen, seen.variableDeclaration, this.#block(seen.block));
      return seen;
    };
    return visit;
  }
}

/** Bundles an entry, given relative to the project's root, with counters in every file that `isCounted` chooses by its path. */
export async function bundleWithCounters(entry: string, isCounted: (path: string) => boolean): Promise<InstrumentedBundle> {
  const root = new URL('../../', import.meta.url).pathname;
  const counters = new SourceCounters();
  const plugin: Plugin = {
    name: 'counters',
    setup(setup) {
      setup.onLoad({ filter: /\.(ts|mjs|js)$/ }, ({ path }) => {
        if (!isCounted(path)) return undefined;
        return { contents: counters.instrument(path, readFileSync(path, 'utf8')), loader: path.endsWith('.ts') ? 'ts' : 'js' };
      });
    },
  };
  const result = await build({
    entryPoints: [`${root}${entry}`], bundle: true, write: false, format: 'esm', platform: 'node', target: 'node20', mainFields: ['module', 'main'], logLevel: 'error', plugins: [plugin],
  });
  if (counters.count > SOURCE_ARMS_MAX) throw new Error(`${counters.count} counters need a larger array`);
  return { code: result.outputFiles[0]!.text, armCount: counters.count, constants: [...counters.constants] };
}

/** The types of a copy of the project, checked in this process: what was found of a file is kept, and when another changes only what depends on that one is looked at again. */
import { join } from 'node:path';
import ts from 'typescript';

/** What is planted may leave a name unused, and that is not what is wrong with it. */
const OPTIONS = { emitDeclarationOnly: false, declaration: false, noEmit: true, noUnusedLocals: false, noUnusedParameters: false };

export class TypeCheck {
  readonly #config: ts.ParsedCommandLine;
  readonly #host: ts.CompilerHost;
  readonly #files = new Map<string, ts.SourceFile | undefined>();
  #program: ts.SemanticDiagnosticsBuilderProgram | undefined;

  constructor(root: string) {
    const path = join(root, 'tsconfig.build.json');
    const { config } = ts.readConfigFile(path, (name) => ts.sys.readFile(name)) as { config: unknown };
    this.#config = ts.parseJsonConfigFileContent(config, ts.sys, root, OPTIONS, path);
    this.#host = ts.createIncrementalCompilerHost(this.#config.options);
    const read = this.#host.getSourceFile.bind(this.#host);
    this.#host.getSourceFile = (name, ...rest) => {
      if (!this.#files.has(name)) this.#files.set(name, read(name, ...rest));
      return this.#files.get(name);
    };
  }

  /** A file has changed: it is read again. */
  forget(path: string): void {
    this.#files.delete(path);
  }

  /** Looks at what has changed, and at what depends on it. Returns what is wrong with the project, or undefined. */
  check(): string | undefined {
    this.#program = ts.createSemanticDiagnosticsBuilderProgram(this.#config.fileNames, this.#config.options, this.#host, this.#program);
    const found = [...this.#program.getSyntacticDiagnostics(), ...this.#program.getSemanticDiagnostics()];
    return found.length === 0 ? undefined : ts.formatDiagnostics(found, { getCanonicalFileName: (name) => name, getCurrentDirectory: () => '', getNewLine: () => '\n' });
  }
}

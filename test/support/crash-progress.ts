/** How far a share of the crash states has come, in a file, so that a run of days can be broken off and gone on with. It counts only for the same program and the same core. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { CrashFigures } from './crash-examiner.js';
import type { RecoveryFigures } from './crash-prober.js';
import type { Shard } from './shards.js';

const BUILD = fileURLToPath(new URL('../../build/', import.meta.url));

/** What a share has done. */
export interface CrashReport {
  readonly figures: CrashFigures;
  readonly recoveries: RecoveryFigures;
  readonly sequences: number;
  readonly lives: number;
  readonly processorSeconds: number;
}

export class CrashProgress {
  readonly #path: string;
  /** The program, which has the facade in it, and the core. */
  readonly #subject = [process.argv[1]!, `${BUILD}varve.wasm`].reduce((hash, path) => hash.update(readFileSync(path)), createHash('sha256')).digest('hex');

  constructor(seed: number, { index, count }: Shard) {
    this.#path = `${BUILD}crash-states-${seed}-${index}-of-${count}.json`;
  }

  /** What an earlier run has done; undefined where there is none, or of another program or core. */
  read(): CrashReport | undefined {
    if (!existsSync(this.#path)) return undefined;
    const { subject, report } = JSON.parse(readFileSync(this.#path, 'utf8')) as { subject: string; report: CrashReport };
    return subject === this.#subject ? report : undefined;
  }

  write(report: CrashReport): void {
    mkdirSync(BUILD, { recursive: true });
    writeFileSync(`${this.#path}.part`, JSON.stringify({ subject: this.#subject, report }));
    renameSync(`${this.#path}.part`, this.#path);
  }
}

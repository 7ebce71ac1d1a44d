/** One tool in several processes at once: each takes its share of the work and sends back what it found. */
import { fork } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Which share of the work this process has. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

/** The share of this process, or undefined in the process that hands them out. */
export function shardOf(): Shard | undefined {
  const given = process.env['VARVE_SHARD'];
  if (given === undefined) return undefined;
  const [index, count] = given.split('/').map(Number);
  return { index: index!, count: count! };
}

/** Runs this tool again with the same options, once for each share. Resolves with what each sent, in the order of the shares; rejects when one fails. */
export async function inShards<Result>(count = availableParallelism()): Promise<Result[]> {
  const running = Array.from({ length: count }, (_, index) => new Promise<Result>((resolve, reject) => {
    const child = fork(process.argv[1]!, process.argv.slice(2), { env: { ...process.env, VARVE_SHARD: `${index}/${count}` }, execArgv: ['--enable-source-maps'] });
    let result: { readonly of: Result } | undefined;
    child.on('message', (message) => (result = message as { readonly of: Result }));
    child.on('exit', (code, signal) => {
      if (code === 0 && result !== undefined) resolve(result.of);
      else reject(new Error(`share ${index} of ${count} ended with ${signal ?? `code ${code}`}; what went wrong stands above.`));
    });
  }));
  return Promise.all(running);
}

/** Sends what a share found to the process that waits for it. */
export function send<Result>(of: Result): void {
  process.send!({ of });
}

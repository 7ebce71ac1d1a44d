/**
 * What fuzzing has found and reached stays so: every kept input is run again with every check, and a short seeded run goes on from there. The long form is `npm run fuzz`.
 */
import { afterAll, expect, test } from 'vitest';
import { readCorpus } from '../support/corpus.js';
import { Fuzzer } from '../support/fuzzer.js';
import { prepare, type TargetName } from '../support/fuzz-targets.js';
import { Random, seedOf } from '../support/random.js';

/** How many inputs the short run makes of each target. */
const EXECUTIONS: Record<TargetName, number> = { file: 2500, key: 40_000, value: 40_000 };
const TITLES: Record<TargetName, string> = {
  file: 'any bytes as a file are refused with an error of varve, or are a sound store that takes a commit (F-34, F-35)',
  key: 'any bytes as a key are refused, or have this one encoding and the order of their bytes (F-34)',
  value: 'any bytes as a value are refused, or are what the codec writes again (F-34)',
};
const figures: string[] = [];

for (const name of ['file', 'key', 'value'] as const) {
  test(TITLES[name], async () => {
    const { target, seeds, counters } = await prepare(name, true);
    const kept = readCorpus(name);
    for (const [file, input] of kept) {
      target.clear();
      await expect(Promise.resolve(input).then((bytes) => target.run(bytes)), `npm run fuzz -- ${name} --replay test/corpus/${name}/${file}`).resolves.toBeUndefined();
    }
    const seed = seedOf(41);
    const { target: swift } = await prepare(name);
    const fuzzer = new Fuzzer(swift, new Random(seed));
    const finding = await fuzzer.run([...kept.values(), ...seeds], (executions) => executions >= EXECUTIONS[name]);
    if (finding !== undefined) throw new Error(`VARVE_SEED=${seed}: execution ${finding.executions}, input ${Buffer.from(finding.input).toString('base64')}`, { cause: finding.error });
    figures.push(`${name}: ${kept.size} kept inputs, ${fuzzer.executions} executions, ${fuzzer.features} features, ${fuzzer.coverage} of ${counters} counters`);
  });
}

afterAll(() => {
  process.stdout.write(`fuzzing: ${figures.join('; ')}\n`);
});

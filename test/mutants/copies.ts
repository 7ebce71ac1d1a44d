/** Planted bugs of copies: what a backup shows, what its file says of itself, and what leaves a store or comes into one. */
import type { Area } from '../support/mutant.js';

const COPY = 'assembly/copy/copy.ts';
const TARGET = 'assembly/copy/target.ts';
const COPIES = 'assembly/exports/copies.ts';

export const copies: Area = {
  name: 'copies',
  mutants: [
    {
      name: 'copy-of-what-is-newest',
      breaks: ['T8'],
      file: COPY,
      find: 'const seen = isNewest ? newest : findOld(key, keySize, hash, copy.version);',
      replace: 'const seen = newest;',
      tests: ['unit/backup'],
    },
    {
      name: 'copy-of-what-has-expired',
      breaks: ['T8'],
      file: COPY,
      find: 'if (!copy.hasHistory) return isSeen && isVisible(seen, copy.clock);',
      replace: 'if (!copy.hasHistory) return isSeen;',
      tests: ['unit/backup'],
    },
    {
      name: 'damage-copied',
      breaks: ['F-20'],
      file: COPY,
      find: "if (checkRecord(record, Geometry.segmentSize - offset, segment.seed, offset)) return true;",
      replace: 'return true;',
      tests: ['unit/backup'],
    },
    {
      name: 'copy-that-forgets-its-promise',
      breaks: ['F-28'],
      file: COPIES,
      find: 'Saying.tail = target.promised;',
      replace: 'Saying.tail = 0;',
      tests: ['unit/backup', 'unit/restore'],
    },
    {
      name: 'copy-that-says-it-is-whole',
      breaks: ['T8'],
      file: COPIES,
      find: 'hasHistory && isEverythingKept() && Pins.floor == 0 ? 1 : FIRST_SEQUENCE;',
      replace: '1;',
      tests: ['unit/backup'],
    },
    {
      name: 'copy-without-its-own-version',
      breaks: ['T8'],
      file: TARGET,
      find: 'writePlace(header, target.previousEnd, target.lastHash, target.previousEnd, target.version, target.version);',
      replace: 'writePlace(header, target.previousEnd, target.lastHash, target.previousEnd, target.version, 0);',
      tests: ['unit/backup'],
    },
    {
      name: 'copy-not-read-back',
      breaks: ['F-20'],
      file: 'src/copy-sinks.ts',
      find: 'if (!isTrue || !copy.isTrue) throw',
      replace: 'if (!isTrue) throw',
      tests: ['unit/backup'],
    },
    {
      name: 'expiry-of-what-is-newest',
      breaks: ['T8'],
      file: 'assembly/exports/time.ts',
      find: 'const record = newest == 0 || versionOf(newest) <= <u64>version ? newest : findOld(Windows.key, keySize, hash, <u64>version);',
      replace: 'const record = newest;',
      tests: ['unit/exchange'],
    },
    {
      name: 'blocks-that-do-not-continue',
      breaks: ['F-20'],
      file: 'assembly/exports/looking.ts',
      find: 'const seed = <u64>load<u32>(layout.CONTROL_HASH_LOW) | (<u64>load<u32>(layout.CONTROL_HASH_HIGH) << 32);',
      replace: 'const seed: u64 = 0;',
      tests: ['unit/exchange'],
    },
    {
      name: 'name-taken-from-somebody',
      breaks: ['F-12'],
      file: 'src/device/node-new-file.ts',
      find: 'else throw taken(this.#name);',
      replace: "else this.#fs.renameSync(this.device.realPath, this.#target);",
      tests: ['unit/backup'],
    },
  ],
};

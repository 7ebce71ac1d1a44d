/** Planted bugs of compaction: what it copies and whom it tells of that, what it forgets and when, and where it ends. */
import type { Area } from '../support/mutant.js';

const MOVE = 'assembly/compaction/move.ts';
const STEP = 'assembly/compaction/step.ts';
const SOURCE = 'assembly/compaction/source.ts';
const TOMBSTONES = 'assembly/compaction/tombstones.ts';
const TESTS = ['simulation/compaction'];

export const compaction: Area = {
  name: 'compaction',
  mutants: [
    {
      name: 'record-copied-with-the-check-of-its-old-place',
      breaks: ['F-06', 'L3'],
      file: MOVE,
      find: '  resealRecord(to, size, segment.seed, offset);\n  appendRecord(size);',
      replace: '  appendRecord(size);',
      tests: TESTS,
    },
    {
      name: 'live-record-taken-for-dead',
      breaks: ['L3', 'T18'],
      file: SOURCE,
      find: 'return standing(hash, address) != 0 || addressOfOld(hash, versionOf(record)) == address;',
      replace: 'return addressOfOld(hash, versionOf(record)) == address;',
      tests: TESTS,
    },
    {
      name: 'old-versions-not-told-that-they-moved',
      breaks: ['T3', 'T18'],
      file: MOVE,
      find: '  } else moveOld(hash, versionOf(record), to);',
      replace: '  }',
      tests: TESTS,
    },
    {
      name: 'owner-not-told-that-its-part-moved',
      breaks: ['F-73', 'L3'],
      file: MOVE,
      find: '  setPartAddress(record, index, to);\n',
      replace: '',
      tests: TESTS,
    },
    {
      name: 'parts-not-told-that-their-owner-moved',
      breaks: ['F-73', 'L3'],
      file: MOVE,
      find: '  if ((flagsOf(record) & RECORD_FLAG_LARGE) != 0) ownParts(resolve(to), to);\n',
      replace: '',
      tests: TESTS,
    },
    {
      name: 'copy-counted-where-it-came-from',
      breaks: ['L3', 'T18'],
      file: MOVE,
      find: '  transferRecord(from, sizeOf(record), to, sizeOf(resolve(to)));\n',
      replace: '',
      tests: TESTS,
    },
    {
      name: 'frames-of-compaction-not-marked',
      breaks: ['F-05', 'I6'],
      file: 'assembly/log/log.ts',
      find: '  if (Log.hasMoved) flags |= format.FRAME_FLAG_COMPACTION;\n',
      replace: '',
      tests: TESTS,
    },
    {
      name: 'copy-without-the-time-of-its-commit',
      breaks: ['T3'],
      file: MOVE,
      find: 'return frame < segment.end ? frameTimeOf(block + frame) : Log.time;',
      replace: 'return Log.time;',
      tests: TESTS,
    },
    {
      name: 'moved-version-forgotten-by-recovery',
      breaks: ['T3', 'L3'],
      file: 'assembly/recovery/show.ts',
      find: 'return !History.isKept || showOld(record, address, hash, versionOf(existing));',
      replace: 'return true;',
      tests: TESTS,
    },
    {
      name: 'delete-forgotten-while-something-is-hidden-by-it',
      breaks: ['L8', 'L3'],
      file: TOMBSTONES,
      find: '&& !isMarked(Sweep.hiding, hash) && standing',
      replace: '&& standing',
      tests: TESTS,
    },
    {
      name: 'listed-segments-that-were-not-read-not-waited-for',
      breaks: ['L8', 'F-05', 'F-06'],
      file: TOMBSTONES,
      find: '    if (isListHiding()) return;\n',
      replace: '',
      tests: TESTS,
    },
    {
      name: 'delete-forgotten-under-a-pin',
      breaks: ['T3'],
      file: TOMBSTONES,
      find: '    if (Pins.oldest !== null && Pins.oldest!.version < version) return;\n',
      replace: '',
      tests: TESTS,
    },
    {
      name: 'forgotten-key-still-counted',
      breaks: ['T18', 'L3'],
      file: TOMBSTONES,
      find: '  forsake(found, address);\n',
      replace: '',
      tests: TESTS,
    },
    {
      name: 'batch-keeps-the-list-of-parts-that-moved',
      breaks: ['T3', 'F-73'],
      file: 'assembly/order/open.ts',
      find: ' && index + 1 >= load<u32>(changetype<usize>(cursor), layout.CURSOR_CONSUMED)) refreshList(item);',
      replace: ' && index >= cursor!.count) refreshList(item);',
      tests: TESTS,
    },
    {
      name: 'what-was-asked-for-never-ends',
      breaks: ['T18'],
      file: STEP,
      find: '    Pace.isDue = false;\n    Pace.isAskedFor = false;\n',
      replace: '    Pace.isDue = Pace.isAskedFor;\n',
      tests: TESTS,
      mayHang: true,
    },
  ],
};

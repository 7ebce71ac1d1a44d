/** Every planted bug, by the part of the store that it is in. */
import type { Area } from '../support/mutant.js';
import { assertions } from './assertions.js';
import { codecs } from './codecs.js';
import { compaction } from './compaction.js';
import { copies } from './copies.js';
import { device } from './device.js';
import { durability } from './durability.js';
import { log } from './log.js';
import { order } from './order.js';
import { recovery } from './recovery.js';
import { space } from './space.js';
import { transactions } from './transactions.js';
import { versions } from './versions.js';

export const AREAS: readonly Area[] = [log, recovery, durability, transactions, order, versions, space, compaction, codecs, copies, device, assertions];

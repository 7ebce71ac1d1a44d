/** The rows on transactions: transaction_commit, cas, snapshot_read, conflict_detection and version_growth. A row that writes begins every sample with a newly filled store. */
import { casJob } from './transactions/cas.mjs';
import { commitJob } from './transactions/commit.mjs';
import { conflictRows } from './transactions/conflicts.mjs';
import { snapshotReadJob } from './transactions/snapshot-read.mjs';
import { afterVersionsJob, growthJob } from './transactions/versions.mjs';

/** Each job runs in a process of its own. @type {Record<string, import('../harness/jobs.mjs').Job>} */
export const jobs = {
  'transaction_commit/memory': commitJob('memory'),
  'transaction_commit/buffered': commitJob('buffered'),
  'transaction_commit/strict': commitJob('strict'),
  'cas/memory': casJob('memory'),
  'cas/buffered': casJob('buffered'),
  'snapshot_read/1000': snapshotReadJob(1_000),
  'snapshot_read/10000': snapshotReadJob(10_000),
  'snapshot_read/after_versions/10': afterVersionsJob(10),
  'snapshot_read/after_versions/100': afterVersionsJob(100),
  'snapshot_read/after_versions/1000': afterVersionsJob(1_000),
  'snapshot_read/after_versions/10000': afterVersionsJob(10_000),
  'conflict_detection': conflictRows,
  'version_growth/100': growthJob(100),
  'version_growth/1000': growthJob(1_000),
  'version_growth/10000': growthJob(10_000),
};

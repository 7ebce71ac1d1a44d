/** The rows on keys and values: kv_get, kv_put, put_bytes and memory_overhead. */
import { getRows, overheadJob, scalingJob } from './kv/get.mjs';
import { putBytesJob } from './kv/put-bytes.mjs';
import { putJob } from './kv/put.mjs';

/** Each job runs in a process of its own. @type {Record<string, import('../harness/jobs.mjs').Job>} */
export const jobs = {
  'kv_get': getRows,
  'kv_get/key_scaling/10K': scalingJob('10K', 1, 0.5),
  'kv_get/key_scaling/100K': scalingJob('100K', 2, 1),
  'kv_get/key_scaling/1M': scalingJob('1M', 5, 2),
  'kv_put/memory': putJob('memory'),
  'kv_put/buffered': putJob('buffered'),
  'kv_put/strict': putJob('strict'),
  'put_bytes/memory': putBytesJob('memory'),
  'put_bytes/buffered': putBytesJob('buffered'),
  'memory_overhead/1K': overheadJob('1K'),
  'memory_overhead/10K': overheadJob('10K'),
  'memory_overhead/100K': overheadJob('100K'),
  'memory_overhead/1M': overheadJob('1M'),
};

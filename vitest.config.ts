import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Files run in processes of their own: locks, exit handlers and signals are what some of them test.
    pool: 'forks',
    ...(process.env['VARVE_COVERAGE'] === undefined ? {} : { setupFiles: ['test/support/count-coverage.ts'] }),
  },
});

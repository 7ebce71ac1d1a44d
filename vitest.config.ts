import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Files run in processes of their own: locks, exit handlers and signals are what some of them test.
    pool: 'forks',
    setupFiles: ['test/support/entropy.ts', ...(process.env['VARVE_COVERAGE'] === undefined ? [] : ['test/support/count-coverage.ts'])],
  },
});

/**
 * The exports of the core: everything that the facade may call. One instance is one store; its state is module-wide. Results that are more than a
 * number stand in the control block (`shared/layout.ts`).
 */
export * from './exports/beginning';
export * from './exports/keys';
export * from './exports/batches';
export * from './exports/output';
export * from './exports/recovery';
export * from './exports/images';
export * from './exports/looking';
export * from './exports/versions';
export * from './exports/sessions';
export * from './exports/scans';
export * from './exports/time';
export * from './exports/watches';
export * from './exports/compaction';
export * from './exports/copies';

/** The path of a store without a file. */
export const IN_MEMORY = ':memory:';

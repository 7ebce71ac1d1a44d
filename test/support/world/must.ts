/** What must hold in a simulated world, and what is thrown when it does not. */
export class Violation extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Violation';
  }
}

/** Throws a violation in the given words unless a condition holds. */
export function must(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Violation(what());
}

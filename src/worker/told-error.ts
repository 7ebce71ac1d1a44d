/** Errors on their way between contexts: by their code and what they carry, so that they come out as the same classes. */
import * as errors from '../errors.js';

/** An error as it crosses. */
export interface ToldError {
  readonly code: string;
  readonly message: string;
  /** What its class adds: the version of a `CasError`, the damage of a `CorruptionError`, and the like. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: ToldError | undefined;
}

/** Deeper causes are left out. */
const DEPTH_MAX = 4;
/** What cannot cross, or is told apart from the fields. */
const OWN_NAMES = new Set(['message', 'stack', 'cause', 'code', 'name']);

/** What crosses of an error. */
export function tellError(error: unknown, depth = 0): ToldError {
  if (!(error instanceof Error)) return { code: '', message: String(error), fields: {}, cause: undefined };
  const fields: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(error)) if (!OWN_NAMES.has(name)) fields[name] = value;
  const code = error instanceof errors.VarveError ? error.code : '';
  const isVarve = code !== '';
  const cause = error.cause === undefined || depth === DEPTH_MAX ? undefined : tellError(error.cause, depth + 1);
  return { code, message: isVarve ? error.message : `${error.name}: ${error.message}`, fields: isVarve ? fields : {}, cause };
}

/** Errors that say nothing beyond their message. */
const PLAIN: readonly (new (message: string, options?: ErrorOptions) => errors.VarveError)[] = [
  errors.InvalidArgumentError, errors.TooLargeError, errors.FullError, errors.ClosedError, errors.ConflictError, errors.VersionGoneError, errors.LaggedError, errors.ReadOnlyError,
  errors.NotFoundError, errors.IoError, errors.OutcomeUnknownError, errors.PoisonedError, errors.PlatformError,
];

/** The error that was told. */
export function toldError({ code, message, fields, cause }: ToldError): Error {
  const options = cause === undefined ? undefined : { cause: toldError(cause) };
  const plain = PLAIN.find(({ prototype }) => prototype.code === code);
  if (plain !== undefined) return new plain(message, options);
  switch (code) {
    case 'VARVE_CAS':
      return new errors.CasError(message, fields['version'] as number);
    case 'VARVE_LOCKED':
      return new errors.LockedError(message, fields['pid'] as number | undefined, options);
    case 'VARVE_FORMAT':
      return new errors.FormatError(message, fields['found'] as number | undefined, fields['supported'] as number | undefined);
    case 'VARVE_CORRUPTION':
      return new errors.CorruptionError(message, fields['damage'] as readonly errors.Damage[]);
    default:
      return new Error(message, options);
  }
}

import { DeferError, RetryableError } from '@mono/message-queue'
import { describeError } from './describe-error.js'

/** SQLSTATE classes and codes that say: the database is not available. Nothing is wrong with the message. */
const unavailableStates = [
  /^08/, // connection exceptions
  /^53/, // too many connections, disk full, out of memory
  /^57P0/, // shut down, crashed, starting up, dropped, idle session ended
  /^57014$/, // cancelled, by statement_timeout above all: the database is overloaded or somebody holds a lock
  /^58/, // errors of the system under PostgreSQL
  /^25006$/, // read only: a standby during a failover
  /^25P0[34]$/, // ended by a time limit on transactions
  /^28/, // the role or its password is refused
  /^3D000$/, // no such database
  /^3F000$|^42P01$/, // no such schema or table: not migrated
  /^42501$/, // the role lacks a privilege
]

/** Another transaction was in the way; the same one may pass when tried again. */
const conflictStates = [
  /^40001$/, // serialization failure
  /^40P01$/, // deadlock
  /^55P03$/, // lock not available
]

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'EMFILE',
])

/** pg and pg-pool report these without any code. */
const unavailableMessages = [
  /^Connection terminated/,
  /^timeout expired$/,
  /^timeout exceeded when trying to connect$/,
  /^Query read timeout$/,
  /^Client has encountered a connection error/,
  /^Client was closed/,
  /^Cannot use a pool after calling end/,
]

/**
 * Tells what an error of a database call means for the delivery, by SQLSTATE, network code or pg's own message:
 *
 * - the database is not available: `DeferError`, code `DATABASE_UNAVAILABLE`; no attempt is counted. A statement that
 *   was cut off may have taken effect, so effects must be idempotent.
 * - a conflict with another transaction: `RetryableError`, code `DATABASE_UNAVAILABLE`
 * - anything else is returned as it is: ask {@link isDataFault} whether the message is at fault. What several messages
 *   suffer in a row is nobody's fault, listed here or not: `FailureJudge` sees to that.
 *
 * An error that is classified already is returned as it is.
 */
export function toDatabaseError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('A value that is not an Error was thrown by the database call')
  const code = codeOf(error)
  if (isUnavailable(error, code)) {
    return toUnavailableError(error)
  }
  if (isSqlState(code) && conflictStates.some((state) => state.test(code))) {
    const message = `The transaction was in conflict with another one (${code})`
    return new RetryableError(message, { code: 'DATABASE_UNAVAILABLE', cause: error })
  }
  return error
}

/** For an error that says by itself, or by where it comes from, that no message is at fault. */
export function toUnavailableError(cause: Error): DeferError {
  const code = codeOf(cause)
  const words = describeError(cause)
  const reason = code === undefined || words.includes(code) ? words : `${code}: ${words}`
  return new DeferError(`The database is not available (${reason})`, { code: 'DATABASE_UNAVAILABLE', cause })
}

/** The SQLSTATE of an error of PostgreSQL; undefined for any other error. */
export function sqlStateOf(error: unknown): string | undefined {
  const code = codeOf(error)
  return isSqlState(code) ? code : undefined
}

/**
 * True if PostgreSQL refused the values themselves: a data exception (class 22: `\u0000`, lone surrogates, out of
 * range, bad syntax), a broken constraint (class 23) or a document nested too deep (54001). The same message will fail
 * again; in a batch, the others may pass without it.
 */
export function isDataFault(error: unknown): boolean {
  const code = codeOf(error)
  return isSqlState(code) && /^2[23]|^54001$/.test(code)
}

/**
 * True if the lock of another transaction may have been in the way: cancelled by a time limit (57014), or a conflict.
 * Takes the error that {@link toDatabaseError} has made.
 */
export function isHeldUp(error: unknown): boolean {
  const code = codeOf((error as { cause?: unknown } | undefined)?.cause)
  return isSqlState(code) && (code === '57014' || conflictStates.some((state) => state.test(code)))
}

function isUnavailable(error: Error, code: string | undefined): boolean {
  if (code === undefined) return unavailableMessages.some((message) => message.test(error.message))
  return networkCodes.has(code) || (isSqlState(code) && unavailableStates.some((state) => state.test(code)))
}

function isSqlState(code: string | undefined): code is string {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code)
}

function codeOf(error: unknown): string | undefined {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : undefined
}

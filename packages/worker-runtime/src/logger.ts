import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import { maskSecrets, maskUrlPasswords } from './mask-secrets.js'
import { toLoggableError } from './to-loggable-error.js'
import type { LogLevel } from './worker-env.js'

/** The pino logger that the runtime hands around; it satisfies the `Logger` interface of message-queue. */
export type RuntimeLogger = PinoLogger

/** What people wrote, whom it goes to, and what opens doors. None of it is ever logged, three levels deep. */
export const redactedKeys = [
  'content',
  'body',
  'title',
  'html',
  'text',
  'subject',
  'to',
  'data',
  'changes',
  'payload',
  'recipient',
  'recipients',
  'address',
  'addresses',
  'endpoint',
  'token',
  'auth',
  'authorization',
  'password',
] as const

export interface LoggerOptions {
  /** The worker's name, on every line. */
  name: string
  /** Default `info`. */
  level?: LogLevel
  /** Default: standard output, written synchronously, so that nothing is lost when the process ends. */
  destination?: DestinationStream
}

/**
 * JSON lines: `level` as a word, `time` in ISO 8601, `pid`, `hostname`, `name`, then the data and `msg`.
 * An error belongs under `err`; it is written with its causes, without the fields that drivers fill with row contents.
 */
export function createLogger({ name, level = 'info', destination }: LoggerOptions): RuntimeLogger {
  return pino(
    {
      name,
      level,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: toLoggableError, error: toLoggableError, reason: maskReason },
      redact: { paths: redactedKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
      hooks: { streamWrite: maskUrlPasswords },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  )
}

/** Why a delivery failed, in the words of whoever threw: a library may quote an address. */
function maskReason(reason: unknown): unknown {
  return typeof reason === 'string' ? maskSecrets(reason) : reason
}

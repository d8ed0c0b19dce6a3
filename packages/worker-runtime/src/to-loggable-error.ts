import { maskSecrets } from './mask-secrets.js'

/**
 * Fields that are worth a log line and never hold contents. Everything else is left out: a PostgreSQL error carries the
 * failing row in `detail` and `where`, an SMTP error the recipients, an HTTP error the whole request.
 */
const safeFields = [
  'code',
  'errno',
  'syscall',
  'port',
  'severity',
  'schema',
  'table',
  'column',
  'constraint',
  'routine',
  'queue',
  'argument',
  'found',
  'wanted',
  'delayMs',
  'statusCode',
  'responseCode',
] as const

const maxCauses = 8

export interface LoggableError {
  type: string
  message: string
  stack?: string
  cause?: LoggableError
  errors?: LoggableError[]
  [field: string]: unknown
}

/** An error as plain data for the log: type, message, stack, safe fields, causes. */
export function toLoggableError(error: unknown, depth = 0): LoggableError {
  if (!(error instanceof Error)) return describeThrownValue(error)
  const message = messageWithoutContents(error)
  const loggable: LoggableError = { type: error.name, message }
  for (const field of safeFields) {
    const value = (error as unknown as Record<string, unknown>)[field]
    if (typeof value === 'string') loggable[field] = maskSecrets(value)
    else if (typeof value === 'number' || typeof value === 'boolean') loggable[field] = value
  }
  if (error.stack) loggable.stack = maskSecrets(error.stack.replace(error.message, () => message))
  if (depth >= maxCauses) return loggable
  if (error.cause instanceof Error) loggable.cause = toLoggableError(error.cause, depth + 1)
  if (error instanceof AggregateError) loggable.errors = error.errors.map((inner) => toLoggableError(inner, depth + 1))
  return loggable
}

/** An object that was thrown instead of an error may hold anything, so only its kind is told. */
function describeThrownValue(value: unknown): LoggableError {
  const text =
    typeof value === 'object' || typeof value === 'function' ? 'an object that is not an Error' : String(value)
  return { type: typeof value, message: maskSecrets(text) }
}

/** `JSON.parse` and PostgreSQL's data exceptions quote the input in their messages. */
function messageWithoutContents(error: Error): string {
  const { message } = error
  const { code } = error as { code?: unknown }
  if (error instanceof SyntaxError && message.endsWith('is not valid JSON')) return 'The text is not valid JSON'
  if (typeof code === 'string' && /^22...$/.test(code)) return maskSecrets(message.replace(/: ".*"$/s, ': [redacted]'))
  return maskSecrets(message)
}

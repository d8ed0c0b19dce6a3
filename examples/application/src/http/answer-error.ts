import { InvalidMessageError } from '@mono/contracts'
import type { Context } from 'hono'
import { ZodError } from 'zod'
import { RefusedError, UnavailableError } from '../errors.js'

/** Tells whoever asked what went wrong. An error that nobody foresaw is reported and says nothing of itself. */
export function answerError(context: Context, error: unknown, report: (error: unknown) => void): Response {
  const refuse = (fields: { path: string; reason: string }[]) =>
    context.json({ error: 'The request does not fit', fields }, 400)
  if (error instanceof InvalidMessageError) return refuse(error.issues)
  if (error instanceof ZodError)
    return refuse(error.issues.map(({ path, message }) => ({ path: path.join('.'), reason: message })))
  if (error instanceof RefusedError) return context.json({ error: error.message }, error.status)
  report(error)
  if (error instanceof UnavailableError) {
    return context.json({ error: error.message, accepted: error.accepted }, 503, { 'retry-after': '5' })
  }
  return context.json({ error: 'Something is wrong here' }, 500)
}

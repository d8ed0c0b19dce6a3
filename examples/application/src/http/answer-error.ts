import { InvalidMessageError } from '@mono/contracts'
import type { Context } from 'hono'
import { ConflictError, NotFoundError, RefusedError, UnavailableError } from '../errors.js'
import { InvalidRequestError } from './invalid-request-error.js'

/** What went wrong, in words for whoever asked. An error that nobody foresaw is reported and says nothing of itself. */
export function answerError(context: Context, error: unknown, report: (error: unknown) => void): Response {
  if (error instanceof InvalidRequestError || error instanceof InvalidMessageError)
    return context.json({ error: 'The request does not fit', fields: error.issues }, 400)
  if (error instanceof RefusedError) return context.json({ error: error.message }, error.status)
  if (error instanceof NotFoundError) return context.json({ error: error.message }, 404)
  if (error instanceof ConflictError) return context.json({ error: error.message }, 409)
  report(error)
  if (error instanceof UnavailableError) {
    return context.json({ error: error.message, accepted: error.accepted }, 503, { 'retry-after': '5' })
  }
  return context.json({ error: 'Something is wrong here' }, 500)
}

import type { Context } from 'hono'
import type { z } from 'zod'
import { InvalidRequestError } from './invalid-request-error.js'

/** @throws InvalidRequestError with each field that does not fit */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  const text = await context.req.text()
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw new InvalidRequestError([{ path: '', reason: 'expected JSON' }])
  }
  const { success, data, error } = schema.safeParse(json)
  if (success) return data
  throw new InvalidRequestError(error.issues.map(({ path, message }) => ({ path: path.join('.'), reason: message })))
}

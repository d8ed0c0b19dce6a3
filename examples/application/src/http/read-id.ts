import type { Context } from 'hono'
import { NotFoundError } from '../errors.js'
import { id } from './fields.js'

/** An id of the path. @throws NotFoundError if it is none: nothing can have it */
export function readId(context: Context, name: string): string {
  const { success, data } = id.safeParse(context.req.param(name))
  if (!success) throw new NotFoundError('Nothing has such an id')
  return data
}

import { limits } from '@mono/contracts'
import type { Context } from 'hono'
import { z } from 'zod'
import { RefusedError } from '../errors.js'

/** Fit for a database and a message: no NUL, no half of a pair of surrogates. */
export const text = z
  .string()
  .refine((value) => !/[\0\p{Surrogate}]/u.test(value), 'expected text without U+0000 and lone surrogates')

export const id = text
  .min(1)
  .refine((value) => Buffer.byteLength(value) <= limits.idBytes, `expected at most ${limits.idBytes} bytes`)

const json = z.string().transform((body, context): unknown => {
  try {
    return JSON.parse(body)
  } catch {
    context.addIssue('expected JSON')
    return z.NEVER
  }
})

/** @throws ZodError with each field that does not fit */
export async function readBody<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  return json.pipe(schema).parse(await context.req.text())
}

/** An id of the path. @throws RefusedError if it is none: nothing can have it */
export function readId(context: Context, name: string): string {
  const { success, data } = id.safeParse(context.req.param(name))
  if (!success) throw new RefusedError(404, 'Nothing has such an id')
  return data
}

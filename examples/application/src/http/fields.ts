import { limits } from '@mono/contracts'
import { z } from 'zod'

/** Fit for a database and a message: no NUL, no half of a pair of surrogates. */
export const text = z
  .string()
  .refine((value) => !/[\0\p{Surrogate}]/u.test(value), 'expected text without U+0000 and lone surrogates')

export const id = text
  .min(1)
  .refine((value) => Buffer.byteLength(value) <= limits.idBytes, `expected at most ${limits.idBytes} bytes`)

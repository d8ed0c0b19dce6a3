import { toAsciiDomain } from '@mono/contracts'
import type { EnvFault } from '@mono/worker-runtime'
import { z } from 'zod'
import { isAligned } from './is-aligned.js'
import { domainOf, type Sender } from './parse-sender.js'

const domainText = 'a domain of at least two labels, such as example.com'

/** A domain name, in the letters of its language or in ASCII; it is ASCII from there on. */
export function domain(): z.ZodType<string, string> {
  return z
    .string()
    .transform(toAsciiDomain)
    .refine((text) => text.includes('.'), domainText)
}

/** A signature of another domain is valid, and is worth nothing to DMARC: nobody would notice until mails are refused. */
export function findAlignmentFault(name: string, signing: string | undefined, from: Sender): EnvFault | undefined {
  const fromDomain = domainOf(from.address)
  if (signing === undefined || isAligned(signing, fromDomain)) return undefined
  const expected = `${fromDomain}, as EMAIL_FROM has it, or a domain above or below it (DMARC)`
  return { name, expected, found: signing }
}

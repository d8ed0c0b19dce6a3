import type { KeyObject } from 'node:crypto'
import { type EnvFault, type EnvOf, findIncompleteFault, secret, variable } from '@mono/worker-runtime'
import { z } from 'zod'
import { domain, findAlignmentFault } from '../domain-env.js'
import type { Sender } from '../parse-sender.js'
import { parseDkimKey } from './parse-dkim-key.js'

const selectorText =
  'a selector of letters, digits and hyphens, such as mono-2027 (labels of at most 63, separated by dots)'

/** How mails are signed. Without these, they are not. */
export const dkimEnv = {
  dkimDomain: variable('EMAIL_DKIM_DOMAIN', domain().optional()),
  dkimSelector: variable('EMAIL_DKIM_SELECTOR', z.string().refine(isSelector, selectorText).optional()),
  dkimKey: secret('EMAIL_DKIM_KEY', z.string().transform(toDkimKey).optional()),
}

export interface DkimSettings {
  /** `d=`: who answers for the mails. In ASCII. */
  domain: string
  /** `s=`: which of the keys that the domain has published. */
  selector: string
  /** RSA, private. A `KeyObject` shows nothing of itself where it is printed. */
  key: KeyObject
}

/** Undefined if mails are not signed. */
export function toDkimSettings(env: EnvOf<typeof dkimEnv>): DkimSettings | undefined {
  const { dkimDomain: domain, dkimSelector: selector, dkimKey: key } = env
  if (domain === undefined || selector === undefined || key === undefined) return undefined
  return { domain, selector, key }
}

/** Half a setting is a mistake. */
export function findDkimFault({ dkimDomain, dkimSelector, dkimKey }: EnvOf<typeof dkimEnv>): EnvFault | undefined {
  return findIncompleteFault({
    EMAIL_DKIM_DOMAIN: dkimDomain,
    EMAIL_DKIM_SELECTOR: dkimSelector,
    EMAIL_DKIM_KEY_FILE: dkimKey,
  })
}

export function findDkimAlignmentFault({
  dkimDomain,
  from,
}: EnvOf<typeof dkimEnv> & { from: Sender }): EnvFault | undefined {
  return findAlignmentFault('EMAIL_DKIM_DOMAIN', dkimDomain, from)
}

/** RFC 6376, section 3.1. */
function isSelector(text: string): boolean {
  return text.split('.').every((label) => /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?$/i.test(label))
}

function toDkimKey(text: string, context: z.RefinementCtx): KeyObject {
  const key = parseDkimKey(text)
  if (!('found' in key)) return key
  context.addIssue({ code: 'custom', message: key.expected, params: { found: key.found } })
  return z.NEVER
}

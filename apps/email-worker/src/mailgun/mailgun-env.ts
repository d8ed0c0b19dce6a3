import { type EnvFault, type EnvOf, findIncompleteFault, origin, secret, variable } from '@mono/worker-runtime'
import { z } from 'zod'
import { domain, findAlignmentFault } from '../domain-env.js'
import type { Sender } from '../parse-sender.js'

/** The settings of Mailgun. Without the first two, mails do not go by it. */
export const mailgunEnv = {
  mailgunApiKey: secret('MAILGUN_API_KEY', z.string().superRefine(checkKey).optional()),
  mailgunDomain: variable('MAILGUN_DOMAIN', domain().optional()),
  /** The origin of the region in which the domain is: the EU has one of its own. */
  mailgunOrigin: variable('MAILGUN_ORIGIN', origin('https://api.mailgun.net')),
}

/** Mails on their way at a time, at most. */
export const mailgunConcurrency = 20

export interface MailgunSettings {
  apiKey: string
  /** As it is in Mailgun, which signs for it. In ASCII. */
  domain: string
  /** `https://host:port` */
  origin: string
}

/** Undefined if mails do not go by Mailgun. */
export function toMailgunSettings(env: EnvOf<typeof mailgunEnv>): MailgunSettings | undefined {
  const { mailgunApiKey: apiKey, mailgunDomain: name, mailgunOrigin } = env
  return apiKey === undefined || name === undefined ? undefined : { apiKey, domain: name, origin: mailgunOrigin }
}

/** Half a setting is a mistake. */
export function findMailgunFault({ mailgunApiKey, mailgunDomain }: EnvOf<typeof mailgunEnv>): EnvFault | undefined {
  return findIncompleteFault({ MAILGUN_API_KEY: mailgunApiKey, MAILGUN_DOMAIN: mailgunDomain })
}

export function findMailgunAlignmentFault({
  mailgunDomain,
  from,
}: EnvOf<typeof mailgunEnv> & { from: Sender }): EnvFault | undefined {
  return findAlignmentFault('MAILGUN_DOMAIN', mailgunDomain, from)
}

const keyText = 'a key of Mailgun as it stands there, without user name and white space'

/** Whatever would not reach Mailgun as it is; only Mailgun knows whether a key is one of its own. */
function checkKey(text: string, context: z.RefinementCtx): void {
  const found = findKeyFault(text)
  if (found !== undefined) context.addIssue({ code: 'custom', message: keyText, params: { found } })
}

function findKeyFault(text: string): string | undefined {
  if (/^(api:|basic\s)/i.test(text)) return 'one with "api:" or "Basic" in front of it (not shown)'
  if (/\s/.test(text)) return 'one with white space in it (not shown)'
  return /^[!-~]+$/.test(text) ? undefined : 'one with letters other than ASCII in it (not shown)'
}

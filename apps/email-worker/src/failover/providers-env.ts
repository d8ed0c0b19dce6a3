import { type EnvFault, variable } from '@mono/worker-runtime'
import { z } from 'zod'
import { type ProviderName, providerNames } from './named-provider.js'

const expected = `${providerNames.join(', ')}, separated by commas, in the order of trying, each once`

/** The providers that send mails, in the order of trying. */
export const providersEnv = {
  providers: variable('EMAIL_PROVIDERS', z.string().transform(toProviderNames).optional()),
}

/** The settings without which a provider cannot be used. */
export interface ProviderSettings {
  providers?: readonly ProviderName[] | undefined
  smtp?: unknown
  mailgunApiKey?: unknown
  mailgunDomain?: unknown
}

/** In the order of trying; by default those that are configured, the mail server first. */
export function providersOf({ providers, smtp, mailgunApiKey }: ProviderSettings): readonly ProviderName[] {
  return providers ?? providerNames.filter((name) => (name === 'smtp' ? smtp : mailgunApiKey) !== undefined)
}

/** Somebody has to send the mails, and whoever is named has to be configured. */
export function findMissingProviderFault(settings: ProviderSettings): EnvFault | undefined {
  const { providers, smtp, mailgunApiKey, mailgunDomain } = settings
  // Half of Mailgun's settings are a fault by themselves.
  const hasMailgun = (mailgunApiKey ?? mailgunDomain) !== undefined
  const because = providers ? ', because EMAIL_PROVIDERS names it' : ''
  if (smtp === undefined && (providers?.includes('smtp') ?? !hasMailgun)) {
    const text = `a smtp:// or smtps:// URL, or SMTP_URL_FILE naming a file with it${because}`
    return { name: 'SMTP_URL', expected: text, found: 'nothing' }
  }
  if (hasMailgun || !providers?.includes('mailgun')) return undefined
  const text = `a key of Mailgun, or MAILGUN_API_KEY_FILE naming a file with it${because}`
  return { name: 'MAILGUN_API_KEY', expected: text, found: 'nothing' }
}

function toProviderNames(text: string, context: z.RefinementCtx): ProviderName[] {
  const words = text.split(',').map((word) => word.trim())
  const names = words.flatMap((word) => providerNames.find((name) => name === word) ?? [])
  if (names.length === words.length && new Set(names).size === names.length) return names
  context.addIssue({ code: 'custom', message: expected })
  return z.NEVER
}

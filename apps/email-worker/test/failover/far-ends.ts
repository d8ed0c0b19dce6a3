import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestFixtures } from '@mono/test-support'
import { createMailgunService, createSmtpSink, type MailgunService, type SmtpSink } from '@mono/test-support/sinks'
import { createSilentSmtpProxy, type SilentSmtpProxy } from './silent-smtp-proxy.js'

export interface ReceivedBy {
  provider: 'smtp' | 'mailgun'
  to: string
  messageId: string | undefined
  /** Milliseconds since 1970. */
  at: number
}

/** A mail server and Mailgun, by which one worker sends. */
export interface FarEnds {
  /** Behind the proxy. */
  smtpSink: SmtpSink
  smtpProxy: SilentSmtpProxy
  mailgun: MailgunService
  /** The environment of the worker. */
  env: Record<string, string>
  /** All mails that one of them has taken, also if it did not answer. */
  received(): ReceivedBy[]
}

type CleanUp = TestFixtures['cleanUp']

/** Long enough for a busy machine, and short enough to wait for. */
const timeLimits = 'commandTimeoutMs=60000&greetingTimeoutMs=60000&finalDotTimeoutMs=15000'

export async function openFarEnds(cleanUp: CleanUp): Promise<FarEnds> {
  const smtpSink = await createSmtpSink()
  cleanUp(() => smtpSink.close())
  const smtpProxy = await createSilentSmtpProxy(smtpSink.url)
  cleanUp(() => smtpProxy.close())
  const mailgun = await createMailgunService()
  cleanUp(() => mailgun.close())
  return {
    smtpSink,
    smtpProxy,
    mailgun,
    env: {
      SMTP_URL: `${smtpProxy.url}?${timeLimits}`,
      EMAIL_FROM: 'mono@example.com',
      MAILGUN_API_KEY: mailgun.apiKey,
      MAILGUN_DOMAIN: mailgun.domain,
      MAILGUN_ORIGIN: mailgun.origin,
      NODE_EXTRA_CA_CERTS: writeAuthorities([mailgun.ca], cleanUp),
    },
    received: () => [
      ...smtpSink.received.map((mail) => toReceived('smtp', mail)),
      ...mailgun.received.map((mail) => toReceived('mailgun', mail)),
    ],
  }
}

export function writeAuthorities(authorities: readonly string[], cleanUp: CleanUp): string {
  const directory = mkdtempSync(join(tmpdir(), 'email-worker-'))
  cleanUp(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'authorities.pem')
  writeFileSync(file, authorities.join('\n'))
  return file
}

export function toReceived(
  provider: ReceivedBy['provider'],
  { to: [to = ''], messageId, at }: { to: readonly string[]; messageId?: string | undefined; at: number },
): ReceivedBy {
  return { provider, to, messageId, at }
}

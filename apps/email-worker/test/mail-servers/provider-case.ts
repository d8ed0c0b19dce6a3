import { setMaxListeners } from 'node:events'
import type { DeliveredMail, MailServer, MailServerName, MailServerOptions } from '@mono/test-support/mail-servers'
import { expect } from 'vitest'
import type { Mail, PacedProvider, SendReceipt } from '../../src/email-provider.js'
import { parseSmtpUrl } from '../../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../../src/smtp/smtp-provider.js'

export interface ProviderContext {
  server: MailServer
  provider: PacedProvider
  /** To ada@example.com, unless `fields` say otherwise. */
  send(fields?: Partial<Mail>): Promise<SendReceipt>
  /** To `user-<index>@example.com`, each with a Message-ID of its own. */
  sendMany(count: number, fields?: (index: number) => Partial<Mail>): Promise<SendReceipt[]>
}

/** Something that mails go through at a mail server with these options. */
export interface ProviderCase {
  title: string
  /** Default: with all. */
  only?: MailServerName
  options?: MailServerOptions
  /** Of the URL: user and password, and parameters such as `?maxConnections=3`. */
  credentials?: string
  parameters?: string
  run(context: ProviderContext): Promise<void>
}

const { signal } = new AbortController()
setMaxListeners(0, signal)

export function createProviderContext(
  server: MailServer,
  { credentials, parameters = '' }: Pick<ProviderCase, 'credentials' | 'parameters'>,
): ProviderContext {
  const url = credentials === undefined ? server.url : server.url.replace('//', `//${credentials}@`)
  const provider = createSmtpProvider(parseSmtpUrl(url + parameters))
  const send: ProviderContext['send'] = (fields = {}) => {
    const mail: Mail = {
      from: { name: 'Mono', address: 'mono@example.com' },
      to: { address: 'ada@example.com' },
      subject: 'Hello',
      text: 'Good morning',
      messageId: '<1@example.com>',
      ...fields,
    }
    return provider.send(mail, { from: mail.from.address, to: [mail.to.address] }, signal)
  }
  return {
    server,
    provider,
    send,
    sendMany: (count, fields) =>
      Promise.all(
        Array.from({ length: count }, (_, index) =>
          send({ to: { address: addressOf(index) }, messageId: `<${index}@example.com>`, ...fields?.(index) }),
        ),
      ),
  }
}

const addressOf = (index: number) => `user-${index}@example.com`

/** Each of so many mails is in the mailbox once, under the queue id that we were told. */
export function expectEachOnce(mails: readonly DeliveredMail[], receipts: readonly SendReceipt[]): void {
  const delivered = mails.map(({ to, queueId }) => `${to} as ${queueId}`)
  const sent = receipts.map(({ accepted, providerId }) => `${accepted} as ${providerId}`)
  expect(delivered.toSorted()).toEqual(sent.toSorted())
  expect(new Set(mails.map(({ to }) => String(to))).size).toBe(receipts.length)
}

/** An error of the provider: nothing is counted as an attempt of the mail. */
export const providerFailure = (code: string, words: RegExp) => failure('provider', code, words)

export const failure = (outcome: string, code: string, words: RegExp) =>
  expect.objectContaining({ name: 'SendError', outcome, code, message: expect.stringMatching(words) })

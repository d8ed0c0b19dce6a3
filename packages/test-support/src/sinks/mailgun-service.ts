import type { IncomingHttpHeaders } from 'node:http'
import { type AnswerOptions, createAnswerScript } from './answer-script.js'
import {
  checkMailgunRequest,
  findMailgunRecipient,
  type MailgunDomain,
  type MailgunRequest,
} from './check-mailgun-request.js'
import { deliversMessage, type FcmAnswer, mergeOutcome, toFcmOutcome } from './fcm-answer.js'
import { createMailbox, type MailboxLimits } from './mailbox.js'
import { MailgunRefusal, refuse } from './mailgun-refusal.js'
import { parseReceivedMail, type ReceivedMail } from './parse-received-mail.js'
import { isSilence, type PushSilence, toPushOutcome } from './push-answer.js'
import type { PushExchange } from './push-exchange.js'
import { createPushListener } from './push-listener.js'
import { type Certificate, certificateFor } from './self-signed-certificate.js'

/** A number is a status: 200 is what a request in order gets anyway. */
export type MailgunAnswer = FcmAnswer

export interface MailgunServiceOptions {
  /** Default both. */
  protocols?: readonly ('h2' | 'http/1.1')[]
  /** Default `us`. */
  region?: 'us' | 'eu'
  /** Default: `mg.example.com`, made in the US. */
  domains?: readonly MailgunDomain[]
  /** Default: `key-` and 32 digits, always the same. */
  apiKey?: string
  /** Default: one that is free. */
  port?: number
  /** Where it listens. Default 127.0.0.1. */
  address?: string
  /** Default: one for `localhost` and `127.0.0.1` that it has made itself, `ca`. */
  certificate?: Certificate
  /** What is kept of mails and requests, the newest. Default: all. */
  keep?: MailboxLimits
  /** Asked for each request that nothing was set for: what is answered in place of taking it. */
  limit?: (() => MailgunAnswer | undefined) | undefined
}

/** A mail that Mailgun has taken. There is no sender of an envelope. */
export interface MailgunMail extends ReceivedMail {
  /** The parameters of the request, all but the mail. */
  fields: Record<string, string>
  /** The name and type that the request gives the mail as a file. */
  file: { name: string; type: string }
  /** The headers of the request; names in lower case. */
  requestHeaders: IncomingHttpHeaders
  /** With its angle brackets. */
  id: string
}

/** A request, in order or not. */
export interface MailgunAttempt {
  recipient: string | undefined
  path: string
  protocol: 'h2' | 'http/1.1'
  /** The status of the answer, or what was done instead of answering. */
  answer: number | PushSilence
  /** The reason of a refusal. */
  reason: string | undefined
  /** Milliseconds since 1970. */
  at: number
}

export interface MailgunService {
  port: number
  /** `https://localhost:<port>` */
  origin: string
  /** PEM: the certificate to trust. */
  ca: string
  apiKey: string
  /** The first of its domains. */
  domain: string
  /** TCP connections that are open. */
  connections: number
  /** Every mail that was taken, in order, also if the answer did not arrive. Grows; do not change it. */
  received: readonly MailgunMail[]
  /** Those for one recipient; addresses are compared in lower case. */
  receivedBy(address: string): readonly MailgunMail[]
  /** How often each recipient, in lower case, was sent a mail that was taken. */
  counts(): Map<string, number>
  /** Every request, in order, counted when it was decided. Grows; do not change it. */
  attempts: readonly MailgunAttempt[]
  /**
   * Sets what is answered to requests for one address, or to `'all'`, which also counts for those that name no recipient.
   * An answer that is set for the address counts first. A mail is taken if the answer is below 300, or says that it `delivers`.
   */
  answer(target: string, answers: MailgunAnswer | readonly MailgunAnswer[], options?: AnswerOptions): void
  /** Closes every connection and refuses new ones. Everything else stays. */
  stop(): Promise<void>
  /** Takes connections again, on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

const maxBodyBytes = 30 * 1024 * 1024

/** Mailgun's interface for mails that are put together already, which checks what it gets and can be told to misbehave. */
export async function createMailgunService({
  protocols = ['h2', 'http/1.1'],
  region = 'us',
  domains = [{ name: 'mg.example.com' }],
  apiKey = 'key-0123456789abcdef0123456789abcdef',
  port = 0,
  address = '127.0.0.1',
  certificate = certificateFor(['localhost', '127.0.0.1']),
  keep,
  limit,
}: MailgunServiceOptions = {}): Promise<MailgunService> {
  const script = createAnswerScript<MailgunAnswer>()
  const mailbox = createMailbox<MailgunMail>(keep)
  const attempts: MailgunAttempt[] = []

  async function serve(exchange: PushExchange, signal: AbortSignal): Promise<void> {
    const { method, path, protocol, headers } = exchange
    const { authorization, 'content-type': contentType } = headers
    const body = await exchange.read(maxBodyBytes)
    const recipient = await findMailgunRecipient(body, contentType)
    const keys = recipient === undefined ? ['all'] : [recipient.toLowerCase(), 'all']
    const answer = script.take(keys) ?? limit?.() ?? 200
    const record = (outcome: Pick<MailgunAttempt, 'answer' | 'reason'>) => {
      attempts.push({ recipient, path, protocol, ...outcome, at: Date.now() })
      if (keep && attempts.length > keep.mails) attempts.shift()
    }
    if (isSilence(answer)) {
      record({ answer, reason: undefined })
      return exchange.fallSilent(answer, signal)
    }
    let outcome = toFcmOutcome(answer)
    let reason: string | undefined
    try {
      if (deliversMessage(answer)) {
        const id = await take({ method, path, authorization, contentType, body }, headers)
        const success = { status: 200, headers: json, body: JSON.stringify({ id, message: 'Queued. Thank you.' }) }
        if (outcome.status < 300) outcome = mergeOutcome(success, outcome)
      }
    } catch (error) {
      if (!(error instanceof MailgunRefusal)) throw error
      outcome = toPushOutcome(error.answer)
      reason = error.message
    }
    record({ answer: outcome.status, reason })
    await exchange.answer(outcome, signal)
  }

  /** Resolves with the mail's id. */
  async function take(request: MailgunRequest, requestHeaders: IncomingHttpHeaders): Promise<string> {
    const form = await checkMailgunRequest(request, { apiKey, domains, region })
    const { domain, recipient, fields, message, file } = form
    const mail = await parseReceivedMail(message, { from: '', to: [recipient], answered: true })
    if (!isOfDomain(mail.headers.from, domain))
      refuse(400, "'from' parameter is not a valid address. please check documentation")
    const id = mail.messageId ?? `<${mailbox.received.length + 1}@${domain}>`
    if (fields['o:testmode'] !== 'yes') mailbox.add({ ...mail, fields, file, requestHeaders, id })
    return id
  }

  const listener = createPushListener({ address, certificate, protocols, serve })
  const boundPort = await listener.listen(port)
  return {
    port: boundPort,
    origin: `https://localhost:${boundPort}`,
    ca: certificate.cert,
    apiKey,
    domain: domains[0]?.name ?? '',
    get connections() {
      return listener.connections
    },
    received: mailbox.received,
    receivedBy: mailbox.receivedBy,
    counts: mailbox.counts,
    attempts,
    answer: (target, answers, options) => script.set(target.toLowerCase(), answers, options),
    stop: () => listener.close(),
    async start() {
      await listener.listen(boundPort)
    },
    close: () => listener.close(),
  }
}

const json = { 'content-type': 'application/json' }

/** The domain of the sender, or one above or below it. */
function isOfDomain(from = '', domain: string): boolean {
  const [, sender = ''] = /@([^\s@<>]+)>?$/.exec(from) ?? []
  return sender === domain || sender.endsWith(`.${domain}`) || domain.endsWith(`.${sender}`)
}

import { createSlots, untilAborted, withDeadline } from '@mono/waiting'
import nodemailer from 'nodemailer'
import type { EmailProvider, Envelope, Mail, Rejection, SendReceipt } from '../email-provider.js'
import { SendError } from '../email-provider.js'
import { findAddressFault, isAsciiBeforeAt } from '../find-address-fault.js'
import { classifySmtpError, type SmtpErrorLike, toLedgerCode } from './classify-smtp-error.js'
import { encodeSubject } from './encode-subject.js'
import { createHandOverStage, type HandOver } from './hand-over-mark.js'
import type { SmtpSettings } from './parse-smtp-url.js'
import { createSmtpUtf8, type SmtpUtf8 } from './smtp-utf8.js'

export interface SmtpTimeLimits {
  /** From the name's look-up to the greeting. Default 10 s. */
  connectMs?: number
  /** Without a byte from the server. Default 30 s. */
  silenceMs?: number
  /** For one mail as a whole, from its turn to its answer. Default 60 s. */
  sendMs?: number
}

/**
 * Sends mails over a pool of SMTP connections. No more mails than connections are on their way at a time; others wait
 * in line here, where the time limit of a mail does not yet count.
 */
export function createSmtpProvider(settings: SmtpSettings, limits: SmtpTimeLimits = {}): EmailProvider {
  const { sendMs = 60_000 } = limits
  const serverOptions = toServerOptions(settings, limits)
  const transport = createTransport(settings, serverOptions)
  const smtpUtf8 = createSmtpUtf8(serverOptions)
  const slots = createSlots(settings.maxConnections)
  const handOvers = new WeakMap<object, HandOver>()
  let tookAt = 0
  transport.use('stream', (mail, done) => {
    const handOver = handOvers.get(mail.data.envelope as object)
    if (handOver) mail.message.processFunc((input) => createHandOverStage(input, handOver))
    done()
  })

  return {
    get tookAt() {
      return tookAt
    },
    async send(mail, envelope, signal) {
      assertPlainAddresses(mail, envelope)
      await slots.acquire(signal)
      const handOver: HandOver = { complete: false }
      const ownEnvelope = { from: envelope.from, to: [...envelope.to] }
      handOvers.set(ownEnvelope, handOver)
      try {
        const message = {
          ...toMessage(mail),
          envelope: ownEnvelope,
        }
        const createError = () => new Error(`The mail was not sent within ${sendMs} ms`)
        const { accepted, rejectedErrors, serverMessageId, ehlo } = await withDeadline(
          { ms: sendMs, signal, createError },
          async (deadline) => {
            await untilAborted(assertCarried(mail, envelope, smtpUtf8), deadline)
            return await transport.sendMail({ ...message, signal: deadline })
          },
        )
        tookAt = performance.now()
        smtpUtf8.learn(ehlo)
        return {
          providerId: serverMessageId ?? mail.messageId,
          accepted: accepted.map(toAddress),
          rejected: (rejectedErrors ?? []).map(toRejection),
        }
      } catch (error) {
        if (error instanceof SendError) throw error
        return toReceipt(error as SmtpErrorLike, handOver)
      } finally {
        slots.release()
      }
    },
    async probe() {
      await nodemailer.createTransport(toServerOptions(settings, { connectMs: probeMs, silenceMs: probeMs })).verify()
    },
    async close() {
      transport.close()
    },
  }
}

/** For each step of a probe: connecting, the greeting, each answer. */
const probeMs = 3_000

function createTransport({ maxConnections }: SmtpSettings, serverOptions: ReturnType<typeof toServerOptions>) {
  return nodemailer.createTransport({
    ...serverOptions,
    pool: true,
    maxConnections,
    // For a server that hangs up before a byte of the mail is read; then the message is to come back later.
    maxRequeues: 2,
    // Here they hold whatever a single mail says.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

function toServerOptions(
  { host, port, secure, requireTls, auth }: SmtpSettings,
  { connectMs = 10_000, silenceMs = 30_000 }: SmtpTimeLimits,
) {
  return {
    host,
    port,
    secure,
    requireTLS: requireTls,
    ...(auth === undefined ? {} : { auth }),
    connectionTimeout: connectMs,
    greetingTimeout: connectMs,
    dnsTimeout: connectMs,
    socketTimeout: silenceMs,
    socketCloseTimeout: 1_000,
  }
}

/** Field by field: an option that nodemailer knows and a mail should not have cannot slip through. */
function toMessage({ from, to, replyTo, subject, text, html, messageId }: Mail) {
  return {
    from: { name: from.name ?? '', address: from.address },
    to: { name: '', address: to.address },
    ...(replyTo === undefined ? {} : { replyTo: { name: replyTo.name ?? '', address: replyTo.address } }),
    subject: encodeSubject(subject),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
    messageId,
    // RFC 3834: so that nobody's absence notice answers, nor mail loops.
    headers: { 'Auto-Submitted': 'auto-generated' },
    // Else nodemailer looks through the whole text to choose, which takes a quarter of its time.
    textEncoding: 'quoted-printable' as const,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

function assertPlainAddresses({ from, to, replyTo = from }: Mail, envelope: Envelope): void {
  for (const address of [from.address, to.address, replyTo.address, envelope.from, ...envelope.to]) {
    const fault = findAddressFault(address)
    if (fault === undefined) continue
    throw new SendError(`An address cannot be used: ${fault}`, { outcome: 'permanent', code: 'INVALID_ADDRESS' })
  }
}

/**
 * A domain has an ASCII form, which nodemailer sends; the part before the `@` has none.
 *
 * @throws SendError if the server does not take an address of the envelope: about the mail if it is a recipient's,
 *   about the provider if it is the sender's
 */
async function assertCarried({ to }: Mail, envelope: Envelope, smtpUtf8: SmtpUtf8): Promise<void> {
  const isSenderAscii = isAsciiBeforeAt(envelope.from)
  if (isSenderAscii && [to.address, ...envelope.to].every(isAsciiBeforeAt)) return
  if (await smtpUtf8.isOffered()) return
  const whose = isSenderAscii ? 'the recipient' : 'the sender'
  throw new SendError(`The mail server takes no letters but ASCII before the @ of ${whose} (it has no SMTPUTF8)`, {
    outcome: isSenderAscii ? 'permanent' : 'provider',
    code: 'NO_SMTPUTF8',
  })
}

/**
 * If all recipients are refused nodemailer throws, with the answer to each; that is a receipt like any other.
 *
 * @throws SendError for anything else
 */
function toReceipt(error: SmtpErrorLike & { rejectedErrors?: RejectedError[] }, handOver: HandOver): SendReceipt {
  const { rejectedErrors } = error
  const failure = classifySmtpError(error, { handedOver: handOver.complete })
  const isAboutRecipients = rejectedErrors !== undefined && rejectedErrors.length > 0
  if (!isAboutRecipients || failure.outcome === 'provider') throw failure
  return { providerId: '', accepted: [], rejected: rejectedErrors.map(toRejection) }
}

type RejectedError = SmtpErrorLike & { recipient?: string }

function toRejection(error: RejectedError): Rejection {
  return { address: error.recipient ?? '', code: toLedgerCode(error), permanent: error.permanent === true }
}

function toAddress(address: string | { address: string }): string {
  return typeof address === 'string' ? address : address.address
}

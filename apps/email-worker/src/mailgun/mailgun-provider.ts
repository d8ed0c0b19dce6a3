import { createHttpOriginClient, type HttpAnswer } from '@mono/http-client'
import { withDeadline } from '@mono/waiting'
import { type Envelope, type Mail, type PacedProvider, SendError } from '../email-provider.js'
import { MailSignal } from '../mail-signal.js'
import { Pace, type Turn } from '../pace.js'
import { assertPlainAddresses } from '../to-message.js'
import { classifyMailgunAnswer, type MailgunRefusal, type MailgunTaking } from './classify-mailgun-answer.js'
import { classifyMailgunError } from './classify-mailgun-error.js'
import { composeMail } from './compose-mail.js'
import type { EncodedForm } from './encode-form.js'
import { type MailgunSettings, mailgunConcurrency } from './mailgun-env.js'
import { probeMailgun } from './probe-mailgun.js'
import { toMailgunForm } from './to-mailgun-form.js'
import { UnknownRun } from './unknown-run.js'

export interface MailgunOptions {
  /**
   * How long a request may take, from connecting to the last byte of the answer, in milliseconds. Default 30000. A mail
   * whose answer comes later is of unknown outcome.
   */
  timeoutMs?: number
  /** Trusted instead of Node's own list of authorities, in PEM. */
  ca?: string
}

interface OnItsWay {
  onItsWay: MailSignal
  /** As in `SendOptions`. */
  onTurn: (() => void) | undefined
}

/** A mail waits for its turn, or for a pause to end, no longer than this; then it comes back with its message. */
const waitMs = 5 * 60_000
const probeMs = 10_000
/** For so long a mail that was taken shows that Mailgun takes mails from us. */
const takesOthersMs = 10 * 60_000

/**
 * Sends mails through the HTTP interface of Mailgun, each in a request of its own, at the pace that Mailgun allows. A mail
 * that is refused for its rate is tried again here: no attempt of its message is counted.
 */
export function createMailgunProvider(
  { apiKey, domain, origin }: MailgunSettings,
  { timeoutMs = 30_000, ca }: MailgunOptions = {},
): PacedProvider {
  const url = new URL(`/v3/${domain}/messages.mime`, origin)
  const authorization = `Basic ${Buffer.from(`api:${apiKey}`).toString('base64')}`
  const client = createHttpOriginClient({ maxConcurrent: mailgunConcurrency, ca })
  const pace = new Pace({ maxConcurrent: mailgunConcurrency })
  const unknowns = new UnknownRun()
  /** Why there is a pause. */
  let rateError = new SendError('Mailgun takes mails more slowly than they come', slow)
  let tookAt = 0
  let gotAt = 0

  function post({ contentType, body }: EncodedForm, ms: number, signal?: AbortSignal): Promise<HttpAnswer> {
    const headers = { authorization, 'content-type': contentType, 'content-length': String(body.length) }
    return withDeadline({ ms, signal }, (within) =>
      client.request({ url, method: 'POST', headers, body, signal: within }),
    )
  }

  /** @throws SendError if the mail can never be sent; the signal's reason if that was aborted before Mailgun had the mail */
  async function tryOnce(mail: Mail, recipient: string, signal: AbortSignal): Promise<MailgunTaking | MailgunRefusal> {
    const form = toMailgunForm(mail, recipient, await composeMail(mail))
    try {
      const answer = await post(form, timeoutMs, signal)
      const takesOthers = tookAt > 0 && performance.now() - tookAt < takesOthersMs
      return classifyMailgunAnswer(answer, { now: Date.now(), takesOthers })
    } catch (error) {
      const refusal = classifyMailgunError(error)
      if (signal.aborted && refusal.fault !== 'unknown') throw signal.reason
      return refusal
    }
  }

  /** @throws as `tryOnce`; SendError if too many mails in a row are of unknown outcome */
  async function tryAdmitted(mail: Mail, recipient: string, { turn, onItsWay }: { turn: Turn; onItsWay: MailSignal }) {
    const settle = await unknowns.admit(onItsWay.signal)
    try {
      // How much of a request has left is known only when it has failed.
      onItsWay.handOver()
      gotAt = performance.now()
      const verdict = await tryOnce(mail, recipient, onItsWay.signal)
      learn(verdict, turn)
      return verdict
    } finally {
      settle()
    }
  }

  function learn(verdict: MailgunTaking | MailgunRefusal, turn: Turn): void {
    if (verdict.fault === undefined) {
      pace.succeed(turn)
      tookAt = performance.now()
    } else if (verdict.fault === 'rate') {
      pace.slowDown(turn, verdict.pauseMs)
      rateError = verdict.error
    }
    if (verdict.fault === 'unknown') unknowns.add(verdict.error)
    // Without a connection nothing was answered.
    else if (verdict.fault !== 'server') unknowns.end()
  }

  /** @returns Mailgun's id of the mail */
  async function sendAtPace(mail: Mail, recipient: string, { onItsWay, onTurn }: OnItsWay): Promise<string> {
    const { signal } = onItsWay
    const startedAt = performance.now()
    for (;;) {
      const ms = Math.max(0, waitMs - (performance.now() - startedAt))
      if (pace.pausedForMs > ms) throw rateError
      const turn = await withDeadline({ ms, signal, createError: () => rateError }, (inner) => pace.begin(inner))
      onTurn?.()
      try {
        const verdict = await tryAdmitted(mail, recipient, { turn, onItsWay })
        if (verdict.fault === undefined) return verdict.providerId
        if (verdict.fault !== 'rate') throw verdict.error
      } finally {
        pace.end()
      }
      onItsWay.takeBack()
    }
  }

  return {
    get tookAt() {
      return tookAt
    },
    get gotAt() {
      return gotAt
    },
    get concurrency() {
      return pace.concurrency
    },
    get pausedForMs() {
      return pace.pausedForMs
    },
    async send(mail, envelope, signal, { withdraw, onTurn } = {}) {
      assertPlainAddresses(mail, envelope)
      const recipient = findRecipient(envelope)
      const onItsWay = new MailSignal(signal, withdraw)
      try {
        const providerId = await sendAtPace(mail, recipient, { onItsWay, onTurn })
        return { providerId, accepted: envelope.to, rejected: [] }
      } finally {
        onItsWay.end()
      }
    },
    async probe() {
      if (pace.pausedForMs > waitMs) throw rateError
      await probeMailgun((form) => post(form, probeMs))
      unknowns.allowTrial()
    },
    close: () => client.close(),
  }
}

const slow = { outcome: 'provider', code: 'MAILGUN_SLOW' } as const

/** With several, an answer would be about all of them, and each would see the others. */
function findRecipient({ to: [recipient, ...others] }: Envelope): string {
  if (recipient === undefined || others.length > 0) throw new TypeError('Expected one recipient in the envelope')
  return recipient
}

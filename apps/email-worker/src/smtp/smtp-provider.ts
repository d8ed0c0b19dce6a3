import { backoffMs, sleep, untilAborted, withDeadline } from '@mono/waiting'
import { createDkimSigner } from '../dkim/create-dkim-signer.js'
import type { DkimSettings } from '../dkim/dkim-env.js'
import type { Envelope, Mail, PacedProvider, Rejection, SendReceipt } from '../email-provider.js'
import { SendError } from '../email-provider.js'
import { MailSignal } from '../mail-signal.js'
import type { OAuthTokens } from '../oauth/create-oauth-tokens.js'
import { createOAuthLogin } from '../oauth/oauth-login.js'
import { Pace, type Turn } from '../pace.js'
import { assertPlainAddresses, toMessage } from '../to-message.js'
import { assertCarried } from './assert-carried.js'
import { classifySmtpError, type SmtpErrorLike, type SmtpSituation, type SmtpVerdict } from './classify-smtp-error.js'
import { findQueueId } from './find-queue-id.js'
import { GreetingWatch } from './greeting-watch.js'
import { createHandOverStage, type HandOver } from './hand-over-mark.js'
import type { SmtpSettings } from './parse-smtp-url.js'
import { probeSmtpServer } from './probe-smtp-server.js'
import { createSmtpPool, toServerOptions, verifySmtpServer } from './smtp-transport.js'
import { createSmtpUtf8 } from './smtp-utf8.js'

interface SmtpProviderOptions {
  /** Default: mails are not signed. */
  dkim?: DkimSettings | undefined
  /** For the user of `auth`, in place of a password; closed with the provider. Default: a password, or no login. */
  oauth?: Pick<OAuthTokens, 'tokens' | 'close'> | undefined
}

interface OnItsWay {
  onItsWay: MailSignal
  /** As in `SendOptions`. */
  onTurn: (() => void) | undefined
}

/** A mail waits for a server that wants mails more slowly no longer than this; then it comes back with its message. */
const waitForPaceMs = 5 * 60_000
/** A mail waits for its turn no longer than this: with the time for its last answer, that is less than a handler's time. */
const waitInLineMs = 5 * 60_000
/** For so long a mail that was taken shows that the server takes mails from us. */
const takesOthersMs = 10 * 60_000
/** Tries of a mail whose connection ends without an answer; then it comes back with its message. */
const lostTries = 4
const retryBackoff = { first: 200, max: 5_000 }

/**
 * Sends mails over a pool of SMTP connections, at the pace that the server allows. What is the connection's fault or the
 * rate's is tried again here: no attempt of the message is counted. Others wait in line here, where the time limit of a mail
 * does not yet count.
 */
export function createSmtpProvider(settings: SmtpSettings, { dkim, oauth }: SmtpProviderOptions = {}): PacedProvider {
  const watch = new GreetingWatch(settings)
  const pace = new Pace({ maxConcurrent: settings.maxConnections, ratePerMinute: settings.ratePerMinute })
  const closing = new AbortController()
  const login = oauth && createOAuthLogin({ tokens: oauth.tokens, signal: closing.signal })
  const server = { ...settings, login }
  const transport = createSmtpPool(server, watch)
  const smtpUtf8 = createSmtpUtf8(toServerOptions(server, watch), () => watch.connect())
  const handOvers = new WeakMap<object, HandOver>()
  const signMail = dkim && createDkimSigner(dkim)
  let tookAt = 0
  let gotAt = 0
  const takesOthers = (withinMs: number) => tookAt > 0 && performance.now() - tookAt < withinMs
  transport.use('stream', (mail, done) => {
    const handOver = handOvers.get(mail.data.envelope as object)
    // First the signature: as nodemailer's option `dkim` it would come last, and every mail would count as handed over.
    if (signMail) mail.message.processFunc(signMail)
    if (handOver) mail.message.processFunc((input) => createHandOverStage(input, handOver))
    done()
  })

  /** @throws SmtpFailure; SendError if an address cannot be carried */
  async function tryOnce(mail: Mail, envelope: Envelope, onItsWay: MailSignal): Promise<SendReceipt> {
    const { signal } = onItsWay
    const { greetingTimeoutMs, commandTimeoutMs, finalDotTimeoutMs } = settings
    const handOver: HandOver = { complete: false }
    const ownEnvelope = { from: envelope.from, to: [...envelope.to] }
    handOvers.set(ownEnvelope, handOver)
    // Connecting, and the commands before the mail.
    const ms = greetingTimeoutMs + 2 * commandTimeoutMs
    const createError = () => Object.assign(new Error('The mail server took too long'), { code: 'ETIMEDOUT' })
    try {
      return await withDeadline({ ms, signal, createError }, async (deadline, restart) => {
        handOver.onComplete = () => {
          onItsWay.handOver()
          gotAt = performance.now()
          restart(finalDotTimeoutMs)
        }
        await untilAborted(assertCarried(mail, envelope, smtpUtf8), deadline)
        const message = { ...toMessage(mail), envelope: ownEnvelope, signal: deadline }
        const { accepted, rejectedErrors, response, serverMessageId, ehlo } = await transport.sendMail(message)
        smtpUtf8.learn(ehlo)
        return {
          // Some replace the Message-ID, and nodemailer knows them.
          providerId: serverMessageId ?? findQueueId(response) ?? mail.messageId,
          accepted: accepted.map(toAddress),
          rejected: (rejectedErrors ?? []).map((each: RejectedError) =>
            toRejection(each, { handedOver: false, takesOthers: true }),
          ),
        }
      })
    } catch (error) {
      if (error instanceof SendError) throw error
      return toReceipt(error as SmtpErrorLike, {
        handedOver: handOver.complete,
        takesOthers: takesOthers(takesOthersMs),
      })
    }
  }

  /** @returns how long to wait before the mail is tried again; undefined if it is not */
  function adapt(verdict: SmtpVerdict, turn: Turn, { tries, sinceMs }: { tries: number; sinceMs: number }) {
    const { fault, pauseMs } = verdict
    // One that the server may have taken is never tried again here.
    if (fault === 'unknown' || sinceMs > waitForPaceMs) return undefined
    if (fault === 'rate') {
      pace.slowDown(turn, pauseMs)
      return 0
    }
    if (isOneTooMany(verdict)) {
      // Alone it is not one too many.
      if (pace.atWork < 2) return undefined
      pace.haveFewerConnections()
      return backoffMs(tries, retryBackoff)
    }
    const isLost = verdict.isHangUp || (fault === 'connection' && !verdict.isAnswered && !verdict.isLate)
    // Servers hang up on whoever comes to a connection that they are about to close.
    const isClosing = verdict.isHangUp && takesOthers(10_000)
    const mayGoOn = isLost ? isClosing || tries < lostTries : fault === 'connection' && verdict.isAnswered
    return mayGoOn ? backoffMs(tries, retryBackoff) : undefined
  }

  async function sendAtPace(mail: Mail, envelope: Envelope, { onItsWay, onTurn }: OnItsWay): Promise<SendReceipt> {
    const { signal } = onItsWay
    const startedAt = performance.now()
    for (let tries = 1; ; tries += 1) {
      const ms = Math.max(0, waitInLineMs - (performance.now() - startedAt))
      const turn = await withDeadline({ ms, signal, createError: createSlowError }, (inner) => pace.begin(inner))
      onTurn?.()
      let waitMs: number | undefined
      try {
        const receipt = await tryOnce(mail, envelope, onItsWay)
        pace.succeed(turn)
        if (receipt.accepted.length > 0) tookAt = performance.now()
        return receipt
      } catch (error) {
        if (!(error instanceof SmtpFailure)) throw error
        const { verdict } = error
        // It was cut short before it was handed over: nothing has failed.
        if (signal.aborted && verdict.fault === 'connection' && !verdict.isAnswered) throw signal.reason
        waitMs = signal.aborted ? undefined : adapt(verdict, turn, { tries, sinceMs: performance.now() - startedAt })
        if (waitMs === undefined) throw verdict.error
      } finally {
        pace.end()
      }
      onItsWay.takeBack()
      await sleep(waitMs, signal)
      signal.throwIfAborted()
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
    async send(mail, envelope, givenSignal, { withdraw, onTurn } = {}) {
      assertPlainAddresses(mail, envelope)
      const onItsWay = new MailSignal(givenSignal, withdraw)
      try {
        return await sendAtPace(mail, envelope, { onItsWay, onTurn })
      } finally {
        onItsWay.end()
      }
    },
    async probe() {
      try {
        await probeSmtpServer((verifySignal) => verifySmtpServer(server, watch, verifySignal), closing.signal)
      } catch (error) {
        throw isLoginError(error) ? classifySmtpError(error, { handedOver: false }).error : error
      }
    },
    async close() {
      closing.abort()
      transport.close()
      watch.close()
      await oauth?.close()
    },
  }
}

const createSlowError = () =>
  new SendError('The mail server takes mails more slowly than they come', { outcome: 'provider', code: 'SMTP_SLOW' })

/** Its words are for people who have to change something. */
function isLoginError(error: unknown): error is SmtpErrorLike {
  return error instanceof Error && 'code' in error && error.code === 'EAUTH'
}

/** Servers that have too many connections say so, or only greet another one with 421. */
function isOneTooMany({ stage, fault, saysTooMany }: SmtpVerdict): boolean {
  return saysTooMany || (stage === 'greeting' && fault === 'connection')
}

/** Ends one try. */
class SmtpFailure extends Error {
  override readonly name = 'SmtpFailure'
  readonly verdict: SmtpVerdict

  constructor(verdict: SmtpVerdict) {
    super(verdict.error.message, { cause: verdict.error })
    this.verdict = verdict
  }
}

/**
 * If all recipients are refused nodemailer throws, with the answer to each; that is a receipt like any other, if it is
 * about them.
 *
 * @throws SmtpFailure for anything else
 */
function toReceipt(error: SmtpErrorLike & { rejectedErrors?: RejectedError[] }, situation: SmtpSituation): SendReceipt {
  const { rejectedErrors = [] } = error
  const verdict = classifySmtpError(error, situation)
  const isAboutRecipients = verdict.fault === 'recipient' || verdict.fault === 'mail'
  if (rejectedErrors.length === 0 || !isAboutRecipients) throw new SmtpFailure(verdict)
  return { providerId: '', accepted: [], rejected: rejectedErrors.map((each) => toRejection(each, situation)) }
}

type RejectedError = SmtpErrorLike & { recipient?: string }

function toRejection(error: RejectedError, situation: SmtpSituation): Rejection {
  const { isFinal, fault, error: failure } = classifySmtpError(error, situation)
  const permanent = isFinal && (fault === 'recipient' || fault === 'mail')
  return { address: error.recipient ?? '', code: failure.code, permanent, reason: failure.message }
}

function toAddress(address: string | { address: string }): string {
  return typeof address === 'string' ? address : address.address
}

import { once, setMaxListeners } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SMTPServerDataStream, SMTPServerOptions, SMTPServerSession } from 'smtp-server'
import type { AnswerOptions } from './answer-script.js'
import { createMailbox, type Mailbox } from './mailbox.js'
import { parseReceivedMail, type ReceivedMail } from './parse-received-mail.js'
import { PromptSmtpServer } from './prompt-smtp-server.js'
import { type Certificate, certificateFor } from './self-signed-certificate.js'
import type { SmtpAnswer, SmtpStep } from './smtp-answer.js'
import { createSmtpScript, type SmtpScript } from './smtp-script.js'

export interface SmtpSinkOptions {
  /** Offers STARTTLS. Default false: it is refused as unknown, with 500. */
  starttls?: boolean
  /** For STARTTLS. Default: one that it has made itself, `ca`. */
  certificate?: Certificate | undefined
  /** Offers SMTPUTF8 (RFC 6531). Default true. */
  smtpUtf8?: boolean
  /** Default: one that is free. */
  port?: number
  /** Connections at a time; whoever comes beyond is greeted with 421. Default: no limit. */
  maxClients?: number | undefined
  /** Asked for each MAIL FROM, with how many came before it in its session: what is answered, such as `450 4.7.1 too much mail`. */
  limitMails?: ((session: { mails: number }) => string | undefined) | undefined
  /**
   * Takes mails only after AUTH XOAUTH2 by this user with one of these tokens. Whoever has another is told so by
   * a challenge with its reasons, and by 535 after that. Default: any login is accepted, and none.
   */
  accessTokens?: { user: string; isValid(token: string): boolean } | undefined
  /** Asked for each AUTH before the token is looked at: what is answered, such as `535 5.7.139 SMTP AUTH is off`. */
  refuseLogin?: (() => string | undefined) | undefined
}

/** An AUTH XOAUTH2. */
export interface SmtpLogin {
  user: string
  accessToken: string
  accepted: boolean
}

export interface SmtpSink {
  port: number
  /** `smtp://127.0.0.1:<port>`. Any user and password are accepted, and none. */
  url: string
  /** PEM: the certificate to trust for STARTTLS. */
  ca: string
  /** TCP connections that are open. */
  connections: number
  /** Every AUTH XOAUTH2 whose token was looked at, in order. Grows; do not change it. */
  logins: readonly SmtpLogin[]
  /** Every mail that was taken, in order, before its answer. Grows; do not change it. */
  received: readonly ReceivedMail[]
  /** Those for one recipient; addresses are compared in lower case. */
  receivedBy(address: string): readonly ReceivedMail[]
  /** How often each recipient, in lower case, was sent a mail that was taken. */
  counts(): Map<string, number>
  /**
   * Sets what is answered: to mails for one address, or to `'all'`. What is set for the address counts first. A single
   * answer holds until another is set; a list is used up, each when its phase comes, and then all is accepted.
   * @throws TypeError if it is no answer, or comes before the recipient is known and is set for an address
   */
  answer(target: string, answers: SmtpAnswer | readonly SmtpAnswer[], options?: AnswerOptions): void
  /** Closes every connection and refuses new ones. Scripts and what was received stay. */
  stop(): Promise<void>
  /** Takes connections again, on the same port. */
  start(): Promise<void>
  close(): Promise<void>
}

/** An SMTP server on 127.0.0.1 that keeps what it gets and can be told to refuse, drop or hang. */
export async function createSmtpSink({
  starttls = false,
  certificate = certificateFor(['localhost', '127.0.0.1', '*.push.test']),
  smtpUtf8 = true,
  port = 0,
  maxClients,
  limitMails,
  accessTokens,
  refuseLogin,
}: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const script = createSmtpScript()
  const mailbox = createMailbox()
  const logins: SmtpLogin[] = []
  let server: PromptSmtpServer | undefined

  async function listen(wanted: number): Promise<number> {
    if (server) return wanted
    const closing = new AbortController()
    // Every mail whose answer is delayed listens to it; Node warns of a leak above ten.
    setMaxListeners(0, closing.signal)
    const opened = new PromptSmtpServer({
      ...certificate,
      disabledCommands: starttls ? [] : ['STARTTLS'],
      hideSMTPUTF8: !smtpUtf8,
      authOptional: accessTokens === undefined,
      ...(accessTokens && { authMethods: ['XOAUTH2'] }),
      allowInsecureAuth: true,
      socketTimeout: 3_600_000,
      ...createHandlers({
        script,
        mailbox,
        logins,
        limitMails,
        accessTokens,
        refuseLogin,
        isFull: () => maxClients !== undefined && opened.countSockets() > maxClients,
        signal: closing.signal,
        drop: (session) => opened.drop(session),
      }),
    })
    server = opened
    // Of clients that went away.
    opened.on('error', () => undefined)
    opened.server.once('close', () => closing.abort())
    opened.listen(wanted, '127.0.0.1')
    await once(opened.server, 'listening')
    return (opened.server.address() as AddressInfo).port
  }

  async function close(): Promise<void> {
    if (!server) return
    const closed = once(server.server, 'close')
    server.close()
    server.destroySockets()
    server = undefined
    await closed
  }

  const boundPort = await listen(port)
  return {
    port: boundPort,
    url: `smtp://127.0.0.1:${boundPort}`,
    ca: certificate.cert,
    get connections() {
      return server?.countSockets() ?? 0
    },
    logins,
    received: mailbox.received,
    receivedBy: mailbox.receivedBy,
    counts: mailbox.counts,
    answer: script.set,
    stop: close,
    async start() {
      await listen(boundPort)
    },
    close,
  }
}

interface SessionContext {
  script: SmtpScript
  mailbox: Mailbox
  logins: SmtpLogin[]
  limitMails: SmtpSinkOptions['limitMails']
  accessTokens: SmtpSinkOptions['accessTokens']
  refuseLogin: SmtpSinkOptions['refuseLogin']
  /** There are too many connections. */
  isFull(): boolean
  /** Aborted when the server is closed. */
  signal: AbortSignal
  drop(session: SMTPServerSession): void
}

function createHandlers(context: SessionContext): SMTPServerOptions {
  const { script, logins, limitMails, accessTokens, refuseLogin, isFull } = context
  const mailsOf = new WeakMap<SMTPServerSession, number>()
  return {
    onConnect(_session, callback) {
      if (isFull()) return callback(toLimit('421 4.7.0 Too many connections'))
      const step = script.take('greeting')
      if (step?.trouble !== 'hang-at-greeting') callback(toRefusal(step))
    },
    onAuth({ username = 'anyone', accessToken }, _session, callback) {
      const refusal = toRefusal(script.take('auth')) ?? toLimit(refuseLogin?.())
      if (refusal) return callback(refusal)
      if (!accessTokens) return callback(null, { user: username })
      const accepted = username === accessTokens.user && accessTokens.isValid(String(accessToken))
      logins.push({ user: username, accessToken: String(accessToken), accepted })
      if (accepted) callback(null, { user: username })
      else callback(null, { data: { status: '400', schemes: 'Bearer' } })
    },
    onMailFrom(_address, session, callback) {
      const mails = mailsOf.get(session) ?? 0
      mailsOf.set(session, mails + 1)
      callback(toLimit(limitMails?.({ mails })) ?? toRefusal(script.take('mail')))
    },
    onRcptTo({ address }, _session, callback) {
      callback(toRefusal(script.take('rcpt', [address])))
    },
    onData(stream, session, callback) {
      takeMail(stream, session, context).then(
        (isAnswered) => {
          if (isAnswered) callback()
        },
        (error: Error) => callback(error),
      )
    },
  }
}

/** Resolves when the answer is due, with whether there is one. Rejects with a refusal. */
async function takeMail(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  { script, mailbox, signal, drop }: SessionContext,
): Promise<boolean> {
  const { mailFrom, rcptTo } = session.envelope
  const to = rcptTo.map(({ address }) => address)
  const step = script.take('data', to)
  if (step?.trouble === 'drop-before-data') {
    drop(session)
    return false
  }
  const raw = await readMail(stream, () => {
    if (step?.trouble === 'drop-in-data') drop(session)
  })
  if (!raw) return false
  const refusal = toRefusal(step)
  if (refusal) throw refusal
  const answered = step?.trouble === undefined
  mailbox.add(await parseReceivedMail(raw, { from: mailFrom ? mailFrom.address : '', to, answered }))
  if (step?.trouble === 'drop-after-data') drop(session)
  if (step?.delayMs) await sleep(step.delayMs, undefined, { signal })
  return answered
}

/** Nothing if the connection ends before the mail does. */
async function readMail(stream: SMTPServerDataStream, onFirstBytes: () => void): Promise<Buffer | undefined> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (chunks.length === 0) onFirstBytes()
      chunks.push(chunk)
    }
  } catch {
    return undefined
  }
  return Buffer.concat(chunks)
}

function toLimit(answer: string | undefined): (Error & { responseCode: number }) | undefined {
  if (answer === undefined) return undefined
  return Object.assign(new Error(answer.slice(4)), { responseCode: Number(answer.slice(0, 3)) })
}

function toRefusal(step: SmtpStep | undefined): (Error & { responseCode: number }) | null {
  if (step?.code === undefined) return null
  return Object.assign(new Error(`${step.phase} refused, as the test wants`), { responseCode: step.code })
}

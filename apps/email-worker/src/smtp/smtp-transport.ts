import nodemailer from 'nodemailer'
import type { OAuthLogin } from '../oauth/oauth-login.js'
import type { GreetingWatch } from './greeting-watch.js'
import type { SmtpSettings } from './parse-smtp-url.js'

export interface SmtpServer extends SmtpSettings {
  /** In place of a password, for the user of `auth`. */
  login?: OAuthLogin | undefined
}

/** nodemailer chooses among the methods that it knows, `XOAUTH2` too, by what the server offers first. */
const loginMethod = 'MONO-XOAUTH2'

/** The pool of connections over which mails are sent. */
export function createSmtpPool(settings: SmtpServer, watch: GreetingWatch) {
  return nodemailer.createTransport({
    ...toServerOptions(settings, watch),
    pool: true,
    maxConnections: settings.maxConnections,
    maxMessages: settings.maxMessages,
    // For a server that hangs up before a byte of the mail is read; then it is tried again here.
    maxRequeues: 2,
    // Here they hold whatever a single mail says.
    disableFileAccess: true,
    disableUrlAccess: true,
  })
}

/**
 * Connects, logs in and says goodbye, with the patience of those who send.
 * @param signal ends the connection
 * @throws the error of nodemailer
 */
export async function verifySmtpServer(settings: SmtpServer, watch: GreetingWatch, signal: AbortSignal): Promise<void> {
  await nodemailer.createTransport(toServerOptions(settings, watch, signal)).verify()
}

const dnsLimitMs = 10_000
/** nodemailer counts the greeting as a part of connecting. */
const connectLimitMs = 10_000

export function toServerOptions(settings: SmtpServer, watch: GreetingWatch, signal?: AbortSignal) {
  const { host, port, tls, greetingTimeoutMs, commandTimeoutMs, finalDotTimeoutMs } = settings
  return {
    host,
    port,
    secure: tls === 'implicit',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'off',
    ...toLoginOptions(settings),
    getSocket(_options: unknown, done: (error: Error | null, socketOptions?: object) => void) {
      watch.connect(signal).then((connection) => done(null, { connection }), done)
    },
    connectionTimeout: connectLimitMs + greetingTimeoutMs,
    greetingTimeout: greetingTimeoutMs,
    dnsTimeout: dnsLimitMs,
    // nodemailer has one limit for every answer. The one of a mail is counted beside it, and ends first.
    socketTimeout: Math.max(commandTimeoutMs, finalDotTimeoutMs) + 5_000,
    socketCloseTimeout: 1_000,
  }
}

function toLoginOptions({ auth, login }: SmtpServer) {
  if (auth === undefined) return {}
  if (login === undefined) return { auth }
  return {
    auth: { type: 'CUSTOM', user: auth.user, method: loginMethod },
    customAuth: { [loginMethod]: login },
  }
}

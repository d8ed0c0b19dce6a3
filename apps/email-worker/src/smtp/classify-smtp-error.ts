import { SendError, type SendOutcome } from '../email-provider.js'
import { adviseOnLogin } from './advise-on-login.js'
import { MissingTokenError, SmtpLoginError } from './smtp-login-error.js'
import { type SmtpReply, toSmtpReply } from './smtp-reply.js'
import { findSmtpFault, type SmtpFault, type SmtpStage, tooManyConnections } from './smtp-rules.js'

/** The fields of nodemailer's errors that tell what happened. */
export interface SmtpErrorLike extends Error {
  /** nodemailer's own: `EAUTH`, `EENVELOPE`, … */
  code?: string
  /** The SMTP command that was answered; `CONN` for the connection, `API` for nodemailer's own checks. */
  command?: string
  responseCode?: number
  /** The whole answer. */
  response?: string
  /** The system's code, such as `ECONNREFUSED`, or that of TLS, such as `CERT_HAS_EXPIRED`. */
  originalCode?: string
  /** Which time was up. */
  timeoutType?: string
}

/** The meaning of an error for the mail, and for those that follow. */
export interface SmtpVerdict {
  /** `unknown`: the server had the whole mail, and its answer was lost. */
  fault: SmtpFault | 'unknown'
  stage: SmtpStage
  /** Trying this mail again cannot help. */
  isFinal: boolean
  /** The server has said something. */
  isAnswered: boolean
  /** The server has hung up without a greeting. */
  isHangUp: boolean
  /** The server has said that there are too many connections. */
  saysTooMany: boolean
  /** A time was up: trying again would take it once more. */
  isLate: boolean
  /** For so many milliseconds the server wants to be left alone. */
  pauseMs: number | undefined
  error: SendError
}

export interface SmtpSituation {
  /** The connection had taken the whole body. */
  handedOver: boolean
  /** The server has taken a mail a short while ago. Default false. */
  takesOthers?: boolean
}

/** nodemailer refuses these mails before it asks anybody: they can never be sent. */
const refusedByNodemailer = new Set(['EFILEACCESS', 'EURLACCESS', 'EMAXRECIPIENTS', 'ESTREAM'])

/** Ends of a connection that was there. Any other code of a socket is about making it: a name, a route, a certificate. */
const connectionEnds = new Set(['ECONNRESET', 'EPIPE', 'ECONNABORTED', 'ETIMEDOUT'])

const setUpTimeouts = new Set(['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT', 'DNS_TIMEOUT'])

const stageByCode: Readonly<Record<string, SmtpStage>> = {
  EDNS: 'connecting',
  ECONFIG: 'login',
  EPROXY: 'connecting',
  EPROTOCOL: 'greeting',
  ETLS: 'tls',
  EAUTH: 'login',
  ENOAUTH: 'login',
  EOAUTH2: 'login',
}

const stageByCommand: Readonly<Record<string, SmtpStage>> = {
  EHLO: 'greeting',
  LHLO: 'greeting',
  HELO: 'greeting',
  'MAIL FROM': 'sender',
  'RCPT TO': 'recipient',
  DATA: 'content',
}

/**
 * Tells whose fault an error of nodemailer is: by whether the mail was handed over, by the stage in which it came, and by
 * the answer (`smtpRules`).
 *
 */
export function classifySmtpError(error: SmtpErrorLike, situation: SmtpSituation): SmtpVerdict {
  const reply = toSmtpReply(error)
  const stage = findStage(error)
  const fault = findFault(error, { ...situation, reply, stage })
  // 503 is about the order of commands.
  const isFinal = reply === undefined ? fault === 'mail' : reply.basic >= 500 && reply.basic !== 503
  const code = toLedgerCode(error)
  const outcome = toOutcome(fault, isFinal)
  const message = describeError(error, { fault, reply, stage, code })
  return {
    fault,
    stage,
    isFinal,
    isAnswered: reply !== undefined,
    isHangUp: fault === 'server' && reply === undefined && error.code === 'ECONNECTION',
    saysTooMany: reply !== undefined && tooManyConnections.test(reply.words),
    isLate: error.code === 'ETIMEDOUT' || error.code === 'EABORT',
    pauseMs: reply?.pauseMs,
    error: new SendError(message, { outcome, code, cause: error }),
  }
}

interface Circumstances extends SmtpSituation {
  reply: SmtpReply | undefined
  stage: SmtpStage
}

function findFault(
  error: SmtpErrorLike,
  { reply, stage, handedOver, takesOthers = false }: Circumstances,
): SmtpVerdict['fault'] {
  if (handedOver && !isAnswerToMail(error)) return 'unknown'
  // An answer that it has is to the token before.
  if (error instanceof MissingTokenError) return error.tokenCode === 'ACCESS_TOKEN_UNAVAILABLE' ? 'server' : 'ours'
  if (isRefusedByNodemailer(error)) return 'mail'
  const codes = reply?.enhanced === undefined ? String(reply?.basic) : `${reply.basic} ${reply.enhanced}`
  const fault = findSmtpFault(stage, reply && { codes, words: reply.words })
  if (fault !== 'ours' || !takesOthers) return fault
  // A server that takes other mails from us refuses this one for its own sake.
  return stage === 'recipient' ? 'recipient' : stage === 'content' ? 'mail' : fault
}

/** Only these say that the server has not taken the mail. */
function isAnswerToMail({ code, responseCode }: SmtpErrorLike): boolean {
  return responseCode !== undefined && (code === 'EMESSAGE' || code === 'EENVELOPE')
}

/** Also a mail larger than the server has said it takes, or without a valid recipient. */
function isRefusedByNodemailer({ code = '', command, responseCode }: SmtpErrorLike): boolean {
  if (refusedByNodemailer.has(code)) return true
  return responseCode === undefined && (code === 'EMESSAGE' || (code === 'EENVELOPE' && command === 'API'))
}

function findStage({ code = '', command, originalCode, timeoutType }: SmtpErrorLike): SmtpStage {
  const known = stageByCode[code] ?? stageByCommand[command ?? '']
  if (known !== undefined) return known
  if (command?.startsWith('AUTH')) return 'login'
  if (code === 'ESOCKET') return connectionEnds.has(originalCode ?? '') ? 'session' : 'connecting'
  if (code === 'ETIMEDOUT') return setUpTimeouts.has(timeoutType ?? '') ? 'connecting' : 'session'
  // nodemailer has reconnected several times, and the server has hung up before its greeting each time.
  return code === 'ECONNECTION' && command === undefined ? 'connecting' : 'session'
}

function toOutcome(fault: SmtpVerdict['fault'], isFinal: boolean): SendOutcome {
  if (fault === 'unknown') return 'unknown'
  if (fault === 'mail' || fault === 'recipient') return isFinal ? 'permanent' : 'transient'
  return 'provider'
}

/** `SMTP_550` for an answer, else nodemailer's code, with the system's if there is one: `ESOCKET_ECONNRESET`. */
function toLedgerCode(error: SmtpErrorLike): string {
  if (error instanceof MissingTokenError) return error.tokenCode
  const { code, responseCode, originalCode, cause } = error
  if (responseCode !== undefined) return `SMTP_${responseCode}`
  // Given up by us, for the reason that its cause tells.
  if (code === 'EABORT' && (cause as { code?: unknown } | undefined)?.code === 'ETIMEDOUT') return 'ETIMEDOUT'
  const known = [code, originalCode].filter((part) => part !== undefined)
  return known.length === 0 ? 'SMTP_ERROR' : known.join('_')
}

interface Described extends Pick<Circumstances, 'reply' | 'stage'>, Pick<SmtpVerdict, 'fault'> {
  code: string
}

/** `The mail server does not take mails from us (535 5.7.8 Bad credentials): check …` */
function describeError(error: SmtpErrorLike, { fault, reply, stage, code }: Described): string {
  if (error instanceof MissingTokenError) return `There is no access token for the mail server: ${error.words}`
  const byToken = error instanceof SmtpLoginError
  if (reply === undefined) return `${describe(fault)} (${byToken ? error.words : code})`
  const advice = stage === 'login' ? adviseOnLogin(reply, { byToken }) : undefined
  const answer = `${describe(fault)} (${describeReply(reply)})`
  return advice === undefined ? answer : `${answer}: ${advice}`
}

/** `550 5.1.1 User unknown` */
function describeReply(reply: SmtpReply): string {
  return [reply.basic, reply.enhanced, reply.words].filter((part) => part !== undefined && part !== '').join(' ')
}

function describe(fault: SmtpVerdict['fault']): string {
  switch (fault) {
    case 'mail':
      return 'The mail server does not take the mail'
    case 'recipient':
      return 'The mail server does not take mail for the recipient'
    case 'connection':
      return 'The mail server has closed the connection'
    case 'rate':
      return 'The mail server wants mails more slowly'
    case 'server':
      return 'The mail server cannot be used'
    case 'ours':
      return 'The mail server does not take mails from us'
    case 'unknown':
      return 'The mail server had the whole mail, but its answer was lost'
  }
}

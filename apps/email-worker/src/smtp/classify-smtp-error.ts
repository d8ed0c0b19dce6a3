import { SendError, type SendOutcome } from '../email-provider.js'

/** The fields of nodemailer's errors that tell what happened. */
export interface SmtpErrorLike extends Error {
  /** nodemailer's own: `EAUTH`, `EENVELOPE`, … */
  code?: string
  /** The SMTP command that was answered; `CONN` for the connection, `API` for nodemailer's own checks. */
  command?: string
  responseCode?: number
  /** True for 5xx but 503, false for other answers, absent without an answer. */
  permanent?: boolean
  /** The system's code, such as `ECONNREFUSED`. */
  originalCode?: string
  /** Which time was up. */
  timeoutType?: string
}

/** The server, or our access to it: `permanent` is true for some of these, but nothing is wrong with the mail. */
const providerCodes = new Set(['EAUTH', 'ENOAUTH', 'EOAUTH2', 'ETLS', 'ECONFIG', 'EPROXY', 'EPROTOCOL'])

/** What was to be sent can never be: it was refused before anybody was asked. */
const refusedByUs = new Set(['EFILEACCESS', 'EURLACCESS', 'EMAXRECIPIENTS', 'ESTREAM'])

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
])

const setUpTimeouts = new Set(['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT'])

/**
 * Tells what an error of nodemailer means for the mail, in this order:
 *
 * 1. handed over and not answered: unknown, whatever broke
 * 2. the server is away, refuses our login, our sender or TLS, or does not speak SMTP: the provider's or ours
 * 3. refused by nodemailer itself: permanent
 * 4. answered: permanent or transient, as the answer says
 * 5. anything else: transient
 *
 * @param handedOver the connection had taken the whole body
 */
export function classifySmtpError(error: SmtpErrorLike, { handedOver }: { handedOver: boolean }): SendError {
  const outcome = findOutcome(error, handedOver)
  const code = toLedgerCode(error)
  return new SendError(`${describe(outcome)} (${code})`, { outcome, code, cause: error })
}

function findOutcome(error: SmtpErrorLike, handedOver: boolean): SendOutcome {
  if (handedOver && !isAnswerToMail(error)) return 'unknown'
  if (isProviderProblem(error)) return 'provider'
  if (isRefusedByUs(error)) return 'permanent'
  return error.permanent === true ? 'permanent' : 'transient'
}

/** Only these say that the server has not taken the mail. */
function isAnswerToMail({ code, responseCode }: SmtpErrorLike): boolean {
  return responseCode !== undefined && (code === 'EMESSAGE' || code === 'EENVELOPE')
}

function isProviderProblem(error: SmtpErrorLike): boolean {
  const { code = '', command, permanent, responseCode } = error
  if (providerCodes.has(code) || isUnreachable(error)) return true
  // 530: authentication required. A sender is refused for every mail alike, but 552 is about this one's size.
  return responseCode === 530 || (command === 'MAIL FROM' && permanent === true && responseCode !== 552)
}

function isUnreachable({ code, command, originalCode, timeoutType }: SmtpErrorLike): boolean {
  if (code === 'EDNS') return true
  if (code === 'ESOCKET') return unreachableCodes.has(originalCode ?? '')
  if (code === 'ETIMEDOUT') return setUpTimeouts.has(timeoutType ?? '')
  // nodemailer has reconnected several times, and the server has hung up before its greeting each time.
  return code === 'ECONNECTION' && command === undefined
}

function isRefusedByUs({ code = '', command, responseCode }: SmtpErrorLike): boolean {
  if (refusedByUs.has(code)) return true
  // Larger than the server has said it takes; or no valid recipient.
  return responseCode === undefined && (code === 'EMESSAGE' || (code === 'EENVELOPE' && command === 'API'))
}

/** `SMTP_550` for an answer, else nodemailer's code, with the system's if there is one: `ESOCKET_ECONNRESET`. */
export function toLedgerCode({ code, responseCode, originalCode }: SmtpErrorLike): string {
  if (responseCode !== undefined) return `SMTP_${responseCode}`
  const known = [code, originalCode].filter((part) => part !== undefined)
  return known.length === 0 ? 'SMTP_ERROR' : known.join('_')
}

function describe(outcome: SendOutcome): string {
  switch (outcome) {
    case 'provider':
      return 'The mail server cannot be used'
    case 'permanent':
      return 'The mail server refused the mail for good'
    case 'transient':
      return 'The mail server did not take the mail'
    case 'unknown':
      return 'The mail server had the whole mail, but its answer was lost'
  }
}

import { describeAnswer, type HttpAnswer, parseJsonObject } from '@mono/http-client'
import { SendError, type SendOutcome } from '../email-provider.js'
import { findPause } from './find-pause.js'
import { findMailgunFault, type MailgunFault } from './mailgun-rules.js'

/** Mailgun has the mail, and will try to deliver it. */
export interface MailgunTaking {
  fault: undefined
  /** Mailgun's id of the mail as its events have it: without angle brackets. */
  providerId: string
}

/** The meaning of any other answer, for the mail and for those that follow. */
export interface MailgunRefusal {
  fault: MailgunFault
  /** For so many milliseconds Mailgun wants to be left alone. */
  pauseMs?: number | undefined
  error: SendError
}

type Answer = Pick<HttpAnswer, 'status' | 'headers' | 'body' | 'complete'>

export interface MailgunSituation {
  /** Milliseconds since 1970. */
  now: number
  /** Mailgun has taken a mail a short while ago. */
  takesOthers: boolean
}

/** Success is a status of 200 with the id of the mail. */
export function classifyMailgunAnswer(
  answer: Answer,
  { now, takesOthers }: MailgunSituation,
): MailgunTaking | MailgunRefusal {
  const { status, headers } = answer
  if (status >= 200 && status < 300) return classifySuccess(answer)
  const words = wordsOf(answer)
  const fault = findMailgunFault({ status, words, takesOthers })
  const error = toSendError(fault, answer)
  return fault === 'rate' ? { fault, pauseMs: findPause({ headers, words }, now), error } : { fault, error }
}

/** A wrong path of the API is answered with 200 and a text; so may be whatever else is at a wrong origin. */
function classifySuccess(answer: Answer): MailgunTaking | MailgunRefusal {
  const { id, message } = parseJsonObject(answer.body.toString('utf8')) ?? {}
  if (typeof id === 'string' && id !== '') {
    return { fault: undefined, providerId: id.replace(/^<(.*)>$/s, '$1').slice(0, 500) }
  }
  const mayBeTaken = !answer.complete || (typeof message === 'string' && /queued/i.test(message))
  const fault = mayBeTaken ? 'unknown' : 'ours'
  return { fault, error: toSendError(fault, answer, 'UNEXPECTED_ANSWER') }
}

/** The words of an answer: the message of a JSON object, or the whole text. */
export function wordsOf({ body }: Pick<Answer, 'body'>): string {
  const text = body.toString('utf8')
  const message = parseJsonObject(text)?.message
  return typeof message === 'string' ? message : text
}

function toSendError(fault: MailgunFault, answer: Answer, code = `MAILGUN_${answer.status}`): SendError {
  const advice = fault === 'ours' ? findAdvice(answer) : ''
  const words = describeAnswer(answer) ?? `HTTP ${answer.status}`
  return new SendError(`${describe(fault)}${advice} (${words})`, { outcome: toOutcome(fault), code })
}

function toOutcome(fault: MailgunFault): SendOutcome {
  if (fault === 'unknown') return 'unknown'
  return fault === 'mail' || fault === 'recipient' ? 'permanent' : 'provider'
}

/** Settings that explain a status. Each region knows its own keys and domains only. */
function findAdvice({ status, body }: Answer): string {
  if (status < 400) return '; check MAILGUN_ORIGIN, where something else answers'
  if (status === 401 || /forbidden/i.test(wordsOf({ body })))
    return '; check MAILGUN_API_KEY, and that MAILGUN_ORIGIN is of its region'
  if (status === 404) return '; check MAILGUN_DOMAIN, and that MAILGUN_ORIGIN is of its region'
  return ''
}

function describe(fault: MailgunFault): string {
  switch (fault) {
    case 'recipient':
      return 'Mailgun does not take mail for the recipient'
    case 'mail':
      return 'Mailgun does not take the mail'
    case 'rate':
      return 'Mailgun wants mails more slowly'
    case 'ours':
      return 'Mailgun does not take mails from us'
    case 'server':
      return 'Mailgun cannot be used'
    case 'unknown':
      return 'Mailgun may have taken the mail'
  }
}

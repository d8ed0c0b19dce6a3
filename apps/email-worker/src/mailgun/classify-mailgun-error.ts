import { HttpRequestError } from '@mono/http-client'
import { SendError } from '../email-provider.js'
import type { MailgunRefusal } from './classify-mailgun-answer.js'

/**
 * Tells what it means that there was no answer: unless the request has certainly not been looked at, Mailgun may have taken
 * the mail. It has no key by which it would know the same request again.
 *
 * @throws the error itself if it is not the network's
 */
export function classifyMailgunError(error: unknown): MailgunRefusal {
  if (!(error instanceof HttpRequestError)) throw error
  const { code: failure, sent, message } = error
  const code = failure === 'ABORTED' ? 'TIMEOUT' : failure
  if (sent) {
    const words = `Mailgun had the mail, but its answer was lost (${message})`
    return { fault: 'unknown', error: new SendError(words, { outcome: 'unknown', code, cause: error }) }
  }
  const words = `Mailgun cannot be reached (${[message, findCause(error)].filter(Boolean).join(': ')})`
  return { fault: 'server', error: new SendError(words, { outcome: 'provider', code, cause: error }) }
}

/** `ECONNREFUSED`, `CERT_HAS_EXPIRED`, or what took too long. */
function findCause({ cause }: HttpRequestError): string | undefined {
  if (!(cause instanceof Error)) return undefined
  return (cause as NodeJS.ErrnoException).code ?? cause.message
}

import { HttpRequestError } from '../http/http-request-error.js'
import type { PushVerdict } from './push-verdict.js'

/**
 * Tells what it means that there was no answer. Without a connection nothing was tried, so the device waits; with one, the
 * push service may have taken the notification, and gets it again: the channel has to keep it from being shown twice.
 *
 * @throws the error itself if it is not the network's
 */
export function classifyRequestError(error: unknown): PushVerdict {
  if (!(error instanceof HttpRequestError)) throw error
  if (error.code === 'CONNECTION_FAILED') return classifyConnectionFailure(error)
  const code = error.code === 'ABORTED' ? 'TIMEOUT' : 'CONNECTION_LOST'
  const kind = error.sent ? 'retry' : 'defer'
  return { result: { kind, code }, origin: { kind: 'failing', code } }
}

/** A host that does not exist may be one that somebody has made up: that counts, so that it has an end. */
function classifyConnectionFailure({ cause }: HttpRequestError): PushVerdict {
  const code = 'CONNECTION_FAILED'
  const systemCode = (cause as NodeJS.ErrnoException | undefined)?.code
  if (systemCode === 'ENOTFOUND') {
    return { result: { kind: 'retry', code, reason: 'no such host' }, origin: { kind: 'failing', code } }
  }
  return { result: { kind: 'defer', code, reason: systemCode }, origin: { kind: 'down', code } }
}

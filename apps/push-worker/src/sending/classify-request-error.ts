import { HttpRequestError } from '@mono/http-client'
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

function classifyConnectionFailure({ code, cause }: HttpRequestError): PushVerdict {
  const reason = (cause as NodeJS.ErrnoException | undefined)?.code
  return { result: { kind: 'defer', code, reason }, origin: { kind: 'down', code } }
}

import { HttpRequestError } from '@mono/http-client'
import { classifyRequestError } from '../sending/classify-request-error.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { RefusedAddressError } from './endpoint-guard.js'

/**
 * Tells what it means that there was no answer. The host names are of endpoints: one may lead into our own network, and one
 * that does not exist may be made up, so that counts, and has an end.
 *
 * @throws the error itself if it is not the network's
 */
export function classifyPushError(error: unknown): PushVerdict {
  if (error instanceof HttpRequestError && error.cause instanceof RefusedAddressError) {
    return { result: { kind: 'failed', code: 'ENDPOINT_REFUSED' }, origin: { kind: 'none' } }
  }
  if (error instanceof HttpRequestError && (error.cause as NodeJS.ErrnoException | undefined)?.code === 'ENOTFOUND') {
    const { code } = error
    return { result: { kind: 'retry', code, reason: 'no such host' }, origin: { kind: 'failing', code } }
  }
  return classifyRequestError(error)
}

import { HttpRequestError } from '../http/http-request-error.js'
import { classifyRequestError } from '../sending/classify-request-error.js'
import type { PushVerdict } from '../sending/push-verdict.js'
import { RefusedAddressError } from './endpoint-guard.js'

/**
 * Tells what it means that there was no answer; a host name of an endpoint may besides lead into our own network.
 *
 * @throws the error itself if it is not the network's
 */
export function classifyPushError(error: unknown): PushVerdict {
  if (error instanceof HttpRequestError && error.cause instanceof RefusedAddressError) {
    return { result: { kind: 'failed', code: 'ENDPOINT_REFUSED' }, origin: { kind: 'none' } }
  }
  return classifyRequestError(error)
}

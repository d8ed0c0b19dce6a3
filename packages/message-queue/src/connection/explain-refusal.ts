import { askWhyRefused } from './ask-why-refused.js'
import type { BrokerEndpoint } from './broker-endpoint.js'

/** amqplib's error if the broker closes the connection after the login; rascal wraps it. */
const withoutReason = /got <ConnectionClose/

/** The same error, unless the broker has refused the connection and the error does not say why: then one in its own words. */
export async function explainRefusal(
  error: Error,
  endpoint: BrokerEndpoint | undefined,
  signal?: AbortSignal,
): Promise<Error> {
  if (!endpoint || !withoutReason.test(error.message)) return error
  const refusal = await askWhyRefused(endpoint, signal)
  return refusal ? Object.assign(new Error(refusal.text, { cause: error }), { code: refusal.code }) : error
}

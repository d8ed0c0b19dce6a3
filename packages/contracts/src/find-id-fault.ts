import { describeFound } from './describe-found.js'
import { limits } from './limits.js'

const controlOrSurrogate = /[\p{Control}\p{Surrogate}]/u

/**
 * Why a value is not an id, or undefined if it is one. An id is a string of 1 to 128 bytes of UTF-8 without control
 * characters and lone surrogates. Also the rule for the AMQP property `message_id`.
 */
export function findIdFault(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') {
    return `expected an id of 1 to ${limits.idBytes} bytes, found ${describeFound(value)}`
  }
  if (value.length > limits.idBytes) {
    return `expected an id of at most ${limits.idBytes} bytes, found ${value.length} characters`
  }
  const bytes = Buffer.byteLength(value)
  if (bytes > limits.idBytes) return `expected an id of at most ${limits.idBytes} bytes, found ${bytes}`
  if (!controlOrSurrogate.test(value)) return undefined
  const index = value.search(controlOrSurrogate)
  return `expected an id without control characters and lone surrogates, found one at index ${index}`
}

import { headerBytes } from './header-bytes.js'

/** AMQP 0-9-1, section 4.2.3: type, channel and size before the payload of any frame, an octet after it. */
const frameBytes = 1 + 2 + 4 + 1
/** Section 4.2.6.1: class, weight, size of the body, and the flags of the properties. */
const fixedBytes = 2 + 2 + 8 + 2
/** A timestamp; the other numbers are octets. */
const longestNumberBytes = 8
const deliveryModeBytes = 1

/** The AMQP properties of a message, with its headers or without. */
export type Properties = Readonly<Record<string, unknown>>

/**
 * At most how many bytes the properties of a message take on the wire, with the frame around them: a single one, however
 * many its body takes. The delivery mode is added if it is not there, because what we send has one.
 */
export function contentHeaderBytes({ headers, ...properties }: Properties): number {
  let bytes = frameBytes + fixedBytes + deliveryModeBytes
  for (const value of Object.values(properties)) {
    if (typeof value === 'string') bytes += 1 + Buffer.byteLength(value)
    else if (typeof value === 'number') bytes += longestNumberBytes
  }
  return headers === undefined ? bytes : bytes + headerBytes(headers as Properties)
}

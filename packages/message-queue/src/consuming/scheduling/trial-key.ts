import { createHash } from 'node:crypto'
import type { Delivery } from '../receiving/delivery.js'

/** Tells a message from others without reading it: what cannot be read may be what ends the process. */
export function trialKey({ message: { content, fields, properties } }: Delivery): string {
  const hash = createHash('sha256')
  for (const part of [fields.exchange, fields.routingKey, String(properties.messageId)]) hash.update(`${part}\0`)
  return hash.update(content).digest('hex')
}

import type { PushOptions } from '@mono/contracts'
import type { PushMessage } from '../sending/push-channel.js'

/** It is the same for every browser of a message. */
export interface WebContent extends Omit<PushOptions, 'extras'> {
  /** JSON of `{ title, body, data, tag }`, not encrypted yet. */
  payload: Buffer
}

/** Bytes that RFC 8291 adds at our settings are 103; push services take 4096 (RFC 8030, section 7.2). */
export const maxPayloadBytes = 3993

/**
 * The tag is the message's id: a notification that is shown again replaces itself instead of standing beside itself.
 * `data` goes to the device as it is. Returns undefined if no push service takes so much.
 */
export function toWebContent({
  notification,
  messageId,
  options,
}: Pick<PushMessage, 'notification' | 'messageId' | 'options'>): WebContent | undefined {
  const { title, body, data } = notification
  const payload = Buffer.from(JSON.stringify({ title, body, data, tag: messageId }))
  const { extras: _inData, ...headers } = options
  return payload.length > maxPayloadBytes ? undefined : { ...headers, payload }
}

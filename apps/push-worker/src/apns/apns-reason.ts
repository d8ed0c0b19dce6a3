import { type HttpAnswer, parseJsonObject } from '@mono/http-client'

/** Apple says why a request was refused or a session ends, and since when a token is dead. */
export interface ApnsReason {
  /** It is a constant of Apple's, such as `BadDeviceToken`. */
  reason?: string
  /** Milliseconds since 1970. */
  timestamp?: number
}

/** Reads the JSON of an answer or of a GOAWAY. What is anything else says nothing. */
export function parseApnsReason(text: string): ApnsReason {
  const { reason, timestamp } = parseJsonObject(text) ?? {}
  return {
    ...(typeof reason === 'string' && /^[A-Za-z]{1,64}$/.test(reason) && { reason }),
    ...(Number.isSafeInteger(timestamp) && { timestamp: Number(timestamp) }),
  }
}

export function readApnsReason({ body }: Pick<HttpAnswer, 'body'>): ApnsReason {
  return parseApnsReason(body.toString('utf8'))
}

import type { IncomingHttpHeaders } from 'node:http'
import { decryptPushMessage } from './decrypt-push-message.js'
import type { PushReceiver } from './push-device.js'
import { PushRefusal } from './push-refusal.js'
import type { VapidExpectation } from './verify-vapid.js'

/** A push service need not take more (RFC 8030, section 7.2), and the known ones do not. */
export const maxPushBodyBytes = 4096

export interface PushRequest {
  method: string
  /** Host and port, as the client addressed them. */
  authority: string
  headers: IncomingHttpHeaders
  /** Up to one byte more than is allowed is kept. */
  body: Buffer
}

export interface PushContent {
  payload: string
  ttl: number
  urgency: string
  topic: string | undefined
}

/**
 * What a push service checks (RFC 8030, 8188, 8291 and 8292), and what the browser would find out.
 * @throws PushRefusal
 */
export function checkPushRequest(
  request: PushRequest,
  receiver: PushReceiver | undefined,
  verifyVapid: (authorization: string | undefined, expected: VapidExpectation) => void,
): PushContent {
  const { method, authority, headers, body } = request
  if (method !== 'POST') throw new PushRefusal(405, `Expected POST, found ${method}`)
  if (!receiver) throw new PushRefusal(404, 'There is no such subscription')
  const ttl = parseTtl(one(headers.ttl))
  const urgency = parseUrgency(one(headers.urgency))
  const topic = parseTopic(one(headers.topic))
  verifyVapid(headers.authorization, { audience: `https://${authority}`, publicKey: receiver.vapidPublicKey })
  if (body.length > maxPushBodyBytes) {
    throw new PushRefusal(413, `Expected a body of at most ${maxPushBodyBytes} bytes`)
  }
  return { payload: readPayload(headers, body, receiver), ttl, urgency, topic }
}

function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

/** RFC 8030, section 5.2: without it the answer is 400. */
function parseTtl(ttl: string | undefined): number {
  if (ttl === undefined) throw new PushRefusal(400, 'Expected a TTL header, found none')
  if (!/^\d+$/.test(ttl)) throw new PushRefusal(400, `Expected TTL to be a number of seconds, found ${ttl}`)
  return Number(ttl)
}

function parseUrgency(urgency = 'normal'): string {
  if (/^(very-low|low|normal|high)$/.test(urgency)) return urgency
  throw new PushRefusal(400, `Expected Urgency to be very-low, low, normal or high, found ${urgency}`)
}

function parseTopic(topic: string | undefined): string | undefined {
  if (topic === undefined || /^[\w-]{1,32}$/.test(topic)) return topic
  throw new PushRefusal(400, `Expected Topic to be at most 32 characters of base64url, found ${topic}`)
}

function readPayload(headers: IncomingHttpHeaders, body: Buffer, receiver: PushReceiver): string {
  if (body.length === 0) return ''
  const encoding = one(headers['content-encoding'])
  if (encoding !== 'aes128gcm') {
    throw new PushRefusal(400, `Expected Content-Encoding aes128gcm, found ${encoding ?? 'none'}`)
  }
  return decryptPushMessage(body, receiver)
}

import type { IncomingHttpHeaders } from 'node:http2'
import { ApnsRefusal } from './apns-refusal.js'

/** Apple takes no more. */
export const maxApnsPayloadBytes = 4096

export interface ApnsRequest {
  headers: IncomingHttpHeaders
  /** Names and values as they came, one after the other. */
  rawHeaders: readonly string[]
  /** Up to one byte more than is allowed is kept. */
  body: Buffer
}

export interface ApnsContent {
  topic: string
  pushType: string
  priority: number
  /** Seconds since 1970; 0: not kept. */
  expiration: number | undefined
  collapseId: string | undefined
  payload: Record<string, unknown>
}

/** @returns the device's token @throws ApnsRefusal */
export function parseApnsPath(headers: IncomingHttpHeaders): string {
  const [, token] = /^\/3\/device\/([^/?]*)$/.exec(headers[':path'] ?? '') ?? []
  if (token === undefined) throw new ApnsRefusal(404, 'BadPath', `found ${headers[':path']}`)
  const method = headers[':method']
  if (method !== 'POST') throw new ApnsRefusal(405, 'MethodNotAllowed', `expected POST, found ${method}`)
  if (token === '') throw new ApnsRefusal(400, 'MissingDeviceToken', 'expected /3/device/<token>')
  return token
}

/**
 * Checks what Apple does (Sending notification requests to APNs), and some things that it lets pass although no device
 * gets what was meant: an expiration that is no point in time, a type that does not fit the payload.
 *
 * @throws ApnsRefusal
 */
export function checkApnsRequest({ headers, rawHeaders, body }: ApnsRequest, now: number): ApnsContent {
  checkDuplicates(rawHeaders)
  const one = (name: string) => headers[name]?.toString()
  checkId(one('apns-id'))
  const expiration = parseExpiration(one('apns-expiration'), now)
  const priority = parsePriority(one('apns-priority'))
  const collapseId = checkCollapseId(one('apns-collapse-id'))
  const topic = one('apns-topic')
  if (topic === undefined) throw new ApnsRefusal(400, 'MissingTopic', 'expected apns-topic')
  if (body.length > maxApnsPayloadBytes) {
    throw new ApnsRefusal(413, 'PayloadTooLarge', `expected at most ${maxApnsPayloadBytes} bytes`)
  }
  const payload = parsePayload(body)
  const pushType = checkPushType(one('apns-push-type'), priority, Object(payload.aps))
  return { topic, pushType, priority, expiration, collapseId, payload }
}

function checkDuplicates(rawHeaders: readonly string[]): void {
  const names = rawHeaders.filter((_, index) => index % 2 === 0)
  const duplicate = names.find((name, index) => names.indexOf(name) !== index)
  if (duplicate !== undefined) throw new ApnsRefusal(400, 'DuplicateHeaders', `found ${duplicate} twice`)
}

function checkId(id: string | undefined): void {
  if (id === undefined || /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)) return
  throw new ApnsRefusal(400, 'BadMessageId', `expected a UUID in lower case, found ${id}`)
}

const yearSeconds = 366 * 24 * 60 * 60

/** Apple takes 300 for five minutes after the beginning of 1970, and keeps nothing. */
function parseExpiration(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined
  const seconds = Number(text)
  const isPoint = seconds === 0 || Math.abs(seconds - now / 1000) < yearSeconds
  if (/^\d+$/.test(text) && isPoint) return seconds
  throw new ApnsRefusal(400, 'BadExpirationDate', `expected a point in time in seconds since 1970, found ${text}`)
}

function parsePriority(text = '10'): number {
  if (/^(10|5|1)$/.test(text)) return Number(text)
  throw new ApnsRefusal(400, 'BadPriority', `expected 10, 5 or 1, found ${text}`)
}

function checkCollapseId(id: string | undefined): string | undefined {
  const bytes = Buffer.byteLength(id ?? '')
  if (bytes > 64 || id === '') throw new ApnsRefusal(400, 'BadCollapseId', `expected 1 to 64 bytes, found ${bytes}`)
  return id
}

function parsePayload(body: Buffer): Record<string, unknown> {
  try {
    const payload = JSON.parse(body.toString('utf8'))
    if (typeof payload.aps === 'object' && payload.aps) return payload
  } catch {
    // The same refusal as for JSON without aps.
  }
  throw new ApnsRefusal(400, 'PayloadEmpty', 'expected a JSON object with an object aps')
}

function checkPushType(type: string | undefined, priority: number, aps: Record<string, unknown>): string {
  const isShown = ['alert', 'badge', 'sound'].some((key) => Object.hasOwn(aps, key))
  if (type === 'alert' && isShown) return type
  if (type !== 'background') throw new ApnsRefusal(400, 'InvalidPushType', `found ${type} beside what aps has`)
  if (isShown || aps['content-available'] !== 1) {
    throw new ApnsRefusal(400, 'InvalidPushType', 'expected content-available: 1 and nothing to show')
  }
  if (priority !== 5) throw new ApnsRefusal(400, 'BadPriority', `expected 5 for the background, found ${priority}`)
  return type
}

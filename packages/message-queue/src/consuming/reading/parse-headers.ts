import { findIdFault, findPositiveIntegerFault } from '@mono/contracts'
import type { WorkQueueName } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import { InvalidDeliveryError } from '../../errors/invalid-delivery-error.js'
import { headerBytes } from '../../header-bytes.js'
import { header, isLeftOut, isOurHeader, maxHeaderBytes, schemaVersion, sortHeaders } from '../../headers.js'
import { findOrigin, type Origin } from './find-origin.js'
import { toHeaderNumber } from './to-header-number.js'
import { toHeaderTime, toTime } from './to-header-time.js'

/** What the properties and headers of a delivery say, as far as it can be trusted. */
export interface DeliveryMetadata {
  /** The `message_id` property. */
  messageId: string | undefined
  tenantId: number | undefined
  exchange: string
  routingKey: string
  publishedAt: Date | undefined
  replay: Replay | undefined
  /** How often the work was tried before; 0 for who says so without coming back from a retry. */
  attempts: number
  /** When a part of the work was done last. */
  progressAt: Date | undefined
  /** Where the handler goes on; undefined: at the beginning. */
  resumeAt: string | undefined
}

/** Whoever replays by hand may set any value; then nobody knows when it was. */
interface Replay {
  /** Whatever was recorded before this time belongs to the life before. */
  at: Date | undefined
  /** Moved by hand: `at` is when it was given up, and its age counts from its arrival. */
  isMoved?: true
}

type Headers = Readonly<Record<string, unknown>>

const maxAttemptsHeader = 1_000
/** The attempts before, and the handler's own words. */
const resumePoint = /^(\d{1,4}) ([\x20-\x7e]{1,64})$/

/** @throws InvalidDeliveryError `INVALID_HEADERS`, naming the property or header. */
export function parseHeaders(queue: WorkQueueName, message: ConsumeMessage, headers: Headers): DeliveryMetadata {
  assertHeaderSize(headers)
  assertDeathRecords(headers['x-death'])
  assertContentEncoding(message.properties.contentEncoding)
  assertSchemaVersion(headers[header.schemaVersion])
  assertTimestamp(message.properties.timestamp)
  const { from, diedAt, ...routing } = parseOrigin(queue, message, headers)
  const attempts = parseAttempts(headers[header.attempts])
  return {
    messageId: parseMessageId(message.properties.messageId),
    tenantId: parseTenantId(headers[header.tenantId]),
    // A foreign `timestamp` says when something happened, which may be long before it was published.
    publishedAt: parsePublishedAt(headers[header.publishedAt]),
    replay: from === 'moved' ? { at: diedAt, isMoved: true } : parseReplay(headers[header.replay]),
    attempts: from === 'retry' ? attempts : 0,
    ...parseProgress(from === 'retry' ? headers : {}, attempts),
    ...routing,
  }
}

function invalid(name: string, reason: string): InvalidDeliveryError {
  return new InvalidDeliveryError('INVALID_HEADERS', `${name}: ${reason}`)
}

function assertHeaderSize(headers: Headers): void {
  if (Object.keys(headers).every(isOurHeader)) return
  const bytes = headerBytes(sortHeaders(headers).publishers)
  if (bytes <= maxHeaderBytes) return
  const found = Number.isFinite(bytes) ? bytes : 'some that cannot'
  throw invalid('headers', `expected at most ${maxHeaderBytes} bytes that can be sent on, found ${found}`)
}

/**
 * RabbitMQ 3.10 crashes in its own dead-letter worker at a list with anything but tables in it when such a message
 * expires, so none may stay in a queue that has a TTL.
 */
function assertDeathRecords(value: unknown): void {
  if (value === undefined) return
  if (!Array.isArray(value)) throw invalid('x-death', `expected a list, found ${typeof value}; only the broker sets it`)
  if (value.every(isTable)) return
  throw invalid('x-death', 'expected tables in the list, found something else; only the broker sets it')
}

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The body is JSON in UTF-8, and some clients say so here. */
function assertContentEncoding(value: unknown): void {
  if (value === undefined || (typeof value === 'string' && /^(identity|utf-?8)?$/i.test(value.trim()))) return
  const named = typeof value === 'string' && /^[\w.+, -]{1,60}$/.test(value) ? value : 'unknown'
  throw new InvalidDeliveryError('INVALID_HEADERS', `content_encoding is ${named}; send the JSON itself`)
}

function assertSchemaVersion(value: unknown): void {
  const version = toHeaderNumber(value)
  if (version === undefined || version === schemaVersion) return
  throw invalid(header.schemaVersion, `expected ${schemaVersion}, found ${describe(version)}`)
}

function parseMessageId(value: unknown): string | undefined {
  if (value === undefined || value === '') return undefined
  const fault = findIdFault(value)
  if (fault !== undefined) throw invalid('message_id', fault)
  return value as string
}

function parseTenantId(value: unknown): number | undefined {
  const tenantId = toHeaderNumber(value)
  if (tenantId === undefined) return undefined
  const fault = findPositiveIntegerFault(tenantId)
  if (fault !== undefined) throw invalid(header.tenantId, fault)
  return tenantId as number
}

function parseAttempts(value: unknown): number {
  const attempts = toHeaderNumber(value) ?? 0
  if (isAttempts(attempts)) return attempts
  throw invalid(header.attempts, `expected an integer from 0 to ${maxAttemptsHeader}, found ${describe(attempts)}`)
}

/** Of little consequence, so that one that cannot be read counts as none: the handler begins at the beginning. */
function parseProgress(headers: Headers, attempts: number): Pick<DeliveryMetadata, 'progressAt' | 'resumeAt'> {
  const stated = headers[header.resumeAt]
  const [, ofAttempt, resumeAt] = (typeof stated === 'string' && resumePoint.exec(stated)) || []
  return {
    progressAt: toHeaderTime(headers[header.progressAt]),
    resumeAt: Number(ofAttempt) === attempts ? resumeAt : undefined,
  }
}

function isAttempts(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxAttemptsHeader
}

function parsePublishedAt(value: unknown): Date | undefined {
  if (isLeftOut(value)) return undefined
  const date = toHeaderTime(value)
  if (date !== undefined) return date
  throw invalid(header.publishedAt, 'expected an ISO 8601 date and time with offset')
}

function parseReplay(value: unknown): Replay | undefined {
  return value === undefined ? undefined : { at: toHeaderTime(value) }
}

function assertTimestamp(value: unknown): void {
  if (value === undefined || toTime(value) !== undefined) return
  throw invalid('timestamp', 'expected seconds since 1970')
}

function parseOrigin(queue: WorkQueueName, message: ConsumeMessage, headers: Headers): Origin {
  return (
    findOrigin(queue, message, headers) ?? {
      exchange: parseText(header.originalExchange, headers[header.originalExchange]),
      routingKey: parseText(header.originalRoutingKey, headers[header.originalRoutingKey]),
      from: 'retry',
    }
  )
}

function parseText(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw invalid(name, `expected text on a message from the retry exchange, found ${describe(value)}`)
}

function describe(value: unknown): string {
  return typeof value === 'number' ? String(value) : value === null ? 'null' : typeof value
}

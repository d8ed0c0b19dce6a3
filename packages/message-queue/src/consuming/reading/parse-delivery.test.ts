import { createHash } from 'node:crypto'
import { examples, limits, type MessageType, messageTypes } from '@mono/contracts'
import type { WorkQueueName } from '@mono/rascal-config'
import { describe, expect, test } from 'vitest'
import {
  type ConsumeMessageParts,
  createConsumeMessage,
  published,
} from '../../../test/support/create-consume-message.js'
import { InvalidDeliveryError } from '../../errors/invalid-delivery-error.js'
import { parseDelivery } from './parse-delivery.js'

const queues: Record<MessageType, WorkQueueName> = {
  'chat.message': 'chat.messages',
  'push.notification': 'push.notifications',
  'email.notification': 'email.notifications',
  'email.message': 'email.notifications',
  'audit.event': 'audit.events',
}
const firstSeen = new Date('2025-04-01T10:00:00Z')

function parse(queue: WorkQueueName, parts: ConsumeMessageParts & { headers?: Record<string, unknown> } = {}) {
  const message = createConsumeMessage({ ...published['chat.message'], ...parts })
  return parseDelivery(queue, message, parts.headers ?? {}, firstSeen)
}

function parseAudit(parts: ConsumeMessageParts & { headers?: Record<string, unknown> } = {}) {
  return parse('audit.events', { ...published['audit.event'], ...parts })
}

function findFault(queue: WorkQueueName, parts: ConsumeMessageParts): InvalidDeliveryError {
  try {
    parse(queue, parts)
  } catch (error) {
    if (error instanceof InvalidDeliveryError) return error
    throw error
  }
  throw new Error('expected a fault, found none')
}

function nest(depth: number): object {
  return depth === 1 ? {} : { deeper: nest(depth - 1) }
}

const chat = examples['chat.message']
const audit = { ...published['audit.event'], queue: 'audit.events' as const }

describe('parseDelivery', () => {
  test.each(messageTypes)('reads a %s of a plain client that sets nothing but a body', (type) => {
    const message = parse(queues[type], published[type])
    expect(message).toMatchObject({
      type,
      payload: examples[type],
      tenantId: examples[type].tenantId,
      routingKey: published[type].routingKey,
      publishedAt: firstSeen,
      attempt: 1,
      redelivered: false,
    })
  })

  test('says what it was told of the message beside its payload', () => {
    const headers = {
      'x-attempts': 1,
      'x-original-exchange': 'audit',
      'x-original-routing-key': 'audit.compliance',
      'x-published-at': '2025-04-01T09:30:00.250Z',
      'x-mine': 'kept',
    }
    const properties = { messageId: 'm-1', type: 'audit.event' }
    const retried = { exchange: 'audit.events.retry', routingKey: 'work', redelivered: true }
    expect(parseAudit({ headers, properties, ...retried })).toMatchObject({
      messageId: 'm-1',
      routingKey: 'audit.compliance',
      publishedAt: new Date('2025-04-01T09:30:00.250Z'),
      attempt: 2,
      redelivered: true,
      headers,
    })
  })

  test.each<[string, ConsumeMessageParts & { headers?: Record<string, unknown> }]>([
    ['an x-published-at', { headers: { 'x-published-at': '2999-01-01T00:00:00.000Z' } }],
    ['a replay', { headers: { 'x-replay': '2999-01-01T00:00:00.000Z' } }],
  ])('takes %s that is yet to come for now, so that the message can grow old', (_what, parts) => {
    expect(parseAudit(parts).publishedAt).toEqual(firstSeen)
  })

  test('keeps the text of the body, with what the payload has lost of it', () => {
    const body = ` ${JSON.stringify(audit.body).replace('"open"', '9007199254740993')}`
    expect(parseAudit({ body }).bodyText).toBe(body)
  })

  test('takes the messageId of the payload for the identity of a chat message', () => {
    expect(parse('chat.messages', { properties: { messageId: 'another' } }).messageId).toBe(chat.messageId)
  })

  test.each(['', undefined])('takes the type from the routing key where the property is %j', (type) => {
    expect(parse('chat.messages', { properties: { type } }).type).toBe('chat.message')
  })

  test('ignores fields that it does not know', () => {
    expect(parse('chat.messages', { body: { ...chat, later: 'field' } }).payload).toEqual(chat)
  })

  test('takes what other clients make of the properties', () => {
    const properties = { messageId: '', type: '', contentType: 'Application/JSON; charset=UTF-8', headers: undefined }
    expect(parse('chat.messages', { properties }).payload).toEqual(chat)
  })

  test.each<[string, object, object]>([
    ['the empty record of PHP', { changes: [], timestamp: '2025-04-01T09:30:00.250+0000' }, { changes: {} }],
    ['a date of Python and a field that is null', { timestamp: '2025-04-01 09:30:00.250999+00:00', reason: null }, {}],
  ])('reads %s the same at each delivery, with an id of the bytes that were sent', (_what, fields, read) => {
    const body = Buffer.from(JSON.stringify({ ...examples['audit.event'], ...fields }))
    const first = parseAudit({ body })
    const retried = { exchange: 'audit.events.retry', routingKey: 'work', redelivered: true }
    const origin = { 'x-original-exchange': 'audit', 'x-original-routing-key': 'audit.track', 'x-attempts': '1' }
    expect(first.payload).toStrictEqual({ ...examples['audit.event'], ...read })
    expect(parseAudit({ body, ...retried, headers: origin })).toMatchObject({
      payload: first.payload,
      messageId: first.messageId,
      attempt: 2,
    })
    expect(first.messageId).toBe(
      `sha256:${createHash('sha256').update('audit\0audit.track\0\0').update(body).digest('hex')}`,
    )
  })

  test('minds neither the order of fields nor white space nor a forged rascal header', () => {
    const body = JSON.stringify(Object.fromEntries(Object.entries(chat).reverse()), null, 2)
    const headers = { rascal: { restoreRoutingHeaders: true, originalRoutingKey: 'audit.compliance' } }
    expect(parse('chat.messages', { body, headers })).toMatchObject({ payload: chat, routingKey: 'chat.direct' })
  })

  const faults: (ConsumeMessageParts & { what: string; queue?: WorkQueueName; code: string; names: RegExp })[] = [
    { what: 'text that is not JSON', body: 'hello', code: 'INVALID_JSON', names: /^body: expected JSON/ },
    { what: 'an empty body', body: '', code: 'INVALID_JSON', names: /^body: expected JSON/ },
    {
      what: 'bytes that are not UTF-8',
      body: Buffer.concat([Buffer.from('"'), Buffer.from([0xff, 0xfe]), Buffer.from('"')]),
      code: 'INVALID_JSON',
      names: /^body: expected JSON in UTF-8/,
    },
    {
      what: 'a body that does not fit',
      body: { ...chat, conversationId: 7, messageType: 'smoke' },
      code: 'INVALID_MESSAGE',
      names: /chat\.message.*conversationId: expected an id.*messageType: /,
    },
    {
      what: 'a body that is no object',
      body: '[]',
      code: 'INVALID_MESSAGE',
      names: /expected an object, found an array/,
    },
    {
      what: 'an unknown routing key',
      routingKey: 'chat.shout',
      code: 'UNKNOWN_TYPE',
      names: /^routing key: .*chat\.messages/,
    },
    {
      what: 'a routing key of another queue',
      routingKey: 'audit.track',
      body: examples['audit.event'],
      code: 'UNKNOWN_TYPE',
      names: /^routing key: .*chat\.messages/,
    },
    {
      what: 'a type against its routing key',
      properties: { type: 'audit.event' },
      code: 'UNKNOWN_TYPE',
      names: /^type: expected chat\.message, as the routing key chat\.direct says/,
    },
    {
      what: 'a body over 1 MiB',
      body: Buffer.alloc(limits.bodyBytes + 1, ' '),
      code: 'BODY_TOO_LARGE',
      names: /^body: expected at most 1048576 bytes, found 1048577$/,
    },
    {
      what: 'a tenant beyond 2^53−1',
      body: JSON.stringify(chat).replace(`${chat.tenantId}`, '9007199254740993'),
      code: 'INVALID_MESSAGE',
      names: /tenantId: /,
    },
    {
      what: 'a \\u0000 in a string',
      body: { ...chat, content: 'a\u0000b' },
      code: 'INVALID_MESSAGE',
      names: /content: .*\\u0000/,
    },
    {
      what: 'a lone surrogate in a string',
      body: { ...chat, content: 'a\ud800' },
      code: 'INVALID_MESSAGE',
      names: /content: .*surrogate/,
    },
    {
      what: 'a \\u0000 inside a record',
      ...audit,
      body: { ...audit.body, changes: { a: { b: '\u0000' } } },
      code: 'INVALID_MESSAGE',
      names: /changes\.a\.b: /,
    },
    {
      what: 'an id of 129 bytes',
      body: { ...chat, senderId: 'x'.repeat(129) },
      code: 'INVALID_MESSAGE',
      names: /senderId: .*128 bytes/,
    },
    {
      what: 'a record 100 deep',
      ...audit,
      body: { ...audit.body, changes: nest(100) },
      code: 'INVALID_MESSAGE',
      names: /changes\..*32 levels/,
    },
    {
      what: 'a body nested 100,000 deep',
      body: '['.repeat(100_000) + ']'.repeat(100_000),
      code: 'INVALID_MESSAGE',
      names: /expected an object/,
    },
    {
      what: 'a message_id of 129 bytes',
      properties: { messageId: 'x'.repeat(129) },
      code: 'INVALID_HEADERS',
      names: /^message_id: /,
    },
    { what: 'a timestamp of 1e300', properties: { timestamp: 1e300 }, code: 'INVALID_HEADERS', names: /^timestamp: / },
  ]
  test.each(faults.map((row) => [row.what, row] as const))('refuses %s by its name', (_what, row) => {
    const { queue = 'chat.messages', code, names, ...parts } = row
    const fault = findFault(queue, parts)
    expect(fault.code).toBe(code)
    expect(fault.message).toMatch(names)
  })

  test('refuses an x-tenant-id that contradicts the body', () => {
    const parseOther = () => parseAudit({ headers: { 'x-tenant-id': examples['audit.event'].tenantId + 1 } })
    expect(parseOther).toThrow(/^x-tenant-id: contradicts the tenantId of the body$/)
  })

  test('takes a body of exactly 1 MiB', () => {
    const text = JSON.stringify(chat)
    expect(parse('chat.messages', { body: text.padEnd(limits.bodyBytes) }).payload).toEqual(chat)
  })

  test.each([
    ['does not parse', '{"password": "hunter2'],
    ['does not fit', '{"content": "hunter2", "hunter2": 1}'],
  ])('does not quote a body that %s', (_what, body) => {
    const fault = findFault('chat.messages', { body })
    expect(`${fault.message} ${fault.stack} ${JSON.stringify(fault.cause)}`).not.toContain('hunter2')
  })
})

describe('a replay', () => {
  const publishedAt = { 'x-published-at': '2025-03-01T00:00:00Z' }
  const parse = (replay: unknown) => parseAudit({ headers: { ...publishedAt, 'x-replay': replay } })

  test('is as old as its replay', () => {
    const at = new Date('2025-04-01T09:00:00Z')
    expect(parse(at.toISOString())).toMatchObject({ publishedAt: at, replayedAt: at })
  })

  test.each([true, '1', '2099-01-01T00:00:00Z'])('is as old as its first sight if it says %s', (mark) => {
    expect(parse(mark)).toMatchObject({ publishedAt: firstSeen, replayedAt: firstSeen })
  })

  test('is none without the header', () => {
    expect(parseAudit({ headers: publishedAt })).not.toHaveProperty('replayedAt')
  })
})

describe('progress', () => {
  const back = { exchange: 'email.notifications.retry', routingKey: 'work' }
  const origin = { 'x-original-exchange': 'notifications', 'x-original-routing-key': 'email.send' }
  const read = (parts: ConsumeMessageParts, headers: Record<string, unknown>) =>
    parse('email.notifications', { ...published['email.message'], ...parts, headers })

  test('is read where only this queue’s worker can have written it', () => {
    const headers = { 'x-attempts': 1, 'x-progress-at': '2025-04-01T09:59:00.000Z', 'x-resume-at': '1 100' }
    expect(read(back, { ...origin, ...headers })).toMatchObject({
      progressAt: new Date('2025-04-01T09:59:00.000Z'),
      resumeAt: '100',
    })
    const foreign = read({}, headers)
    expect(foreign).not.toHaveProperty('progressAt')
    expect(foreign).not.toHaveProperty('resumeAt')
  })

  test.each([0, 100, '', '100', '1 100', `0 ${'x'.repeat(65)}`, '0 a\u0000b', true])(
    'begins at the beginning where x-resume-at is %j',
    (resumeAt) => {
      expect(read(back, { ...origin, 'x-resume-at': resumeAt })).not.toHaveProperty('resumeAt')
    },
  )

  test('is not taken from the future, in which it would never expire', () => {
    const headers = { ...origin, 'x-progress-at': '2099-01-01T00:00:00Z' }
    expect(read(back, headers)).toMatchObject({ progressAt: firstSeen })
  })
})

describe('the identity of a message without message_id', () => {
  const parts = { properties: { timestamp: 1_743_500_000 } }
  const { messageId } = parseAudit(parts)

  test('is a digest', () => {
    expect(messageId).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  test('is the same at every delivery', () => {
    expect(parseAudit({ ...parts, redelivered: true, headers: { 'x-delivery-count': 1 } }).messageId).toBe(messageId)
  })

  test('is the same when the message comes back through the retry exchange', () => {
    const retried = parseAudit({
      ...parts,
      exchange: 'audit.events.retry',
      routingKey: 'work',
      headers: { 'x-original-exchange': 'audit', 'x-original-routing-key': 'audit.track', 'x-attempts': 1 },
    })
    expect(retried).toMatchObject({ messageId, routingKey: 'audit.track', attempt: 2 })
  })

  test.each<[string, 'first' | 'again', ConsumeMessageParts & { headers?: Record<string, unknown> }]>([
    ['nothing', 'first', parts],
    ['a redelivery', 'again', { ...parts, redelivered: true }],
    ['a replay', 'again', { ...parts, headers: { 'x-replay': '2025-04-01T09:59:00Z' } }],
    [
      'a return from the retry exchange',
      'again',
      {
        ...parts,
        exchange: 'audit.events.retry',
        routingKey: 'work',
        headers: { 'x-original-exchange': 'audit', 'x-original-routing-key': 'audit.track' },
      },
    ],
  ])('with %s, is that of its delivery: %s', (_what, derivedId, delivery) => {
    expect(parseAudit(delivery)).toMatchObject({ messageId, derivedId })
  })

  test('is told apart from an id that was given', () => {
    const given = { properties: { messageId: `sha256:${'0'.repeat(64)}` } }
    expect(parseAudit(given)).not.toHaveProperty('derivedId')
    expect(parse('chat.messages')).not.toHaveProperty('derivedId')
  })

  test.each<[string, ConsumeMessageParts]>([
    ['the routing key', { routingKey: 'audit.compliance' }],
    ['the exchange', { exchange: 'other' }],
    ['the timestamp', { properties: { timestamp: 1_743_500_001 } }],
    ['the absence of a timestamp', { properties: {} }],
    ['the body', { body: { ...examples['audit.event'], userId: 'user-2' } }],
  ])('differs with %s', (_what, other) => {
    const { messageId: otherId } = parseAudit({ ...parts, ...other })
    expect(otherId).toMatch(/^sha256:/)
    expect(otherId).not.toBe(messageId)
  })
})

import { describe, expect, test } from 'vitest'
import { examples, InvalidMessageError, type MessageType, messageTypes } from './index.js'
import type { MessageIssue } from './invalid-message-error.js'
import { parsePayload } from './parse-payload.js'
import { serializePayload } from './serialize-payload.js'

function toWire(type: MessageType): Record<string, unknown> {
  return JSON.parse(serializePayload(type, examples[type]))
}

function findIssues(type: MessageType, json: unknown): MessageIssue[] {
  try {
    parsePayload(type, json)
    return []
  } catch (error) {
    if (error instanceof InvalidMessageError) return error.issues
    throw error
  }
}

describe('parsePayload', () => {
  test.each(messageTypes)('reads back what was sent as %s', (type) => {
    expect(parsePayload(type, toWire(type))).toEqual(examples[type])
  })

  test.each(messageTypes)('drops unknown fields of %s, whatever they hold', (type) => {
    const json = { ...toWire(type), later: { deep: JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) } }
    expect(parsePayload(type, json)).toEqual(examples[type])
  })

  test.each(messageTypes)('names every missing field of %s', (type) => {
    const missing = findIssues(type, {}).map(({ path }) => path)
    const optional = {
      'push.notification': ['data'],
      'email.notification': ['data', 'replyTo'],
      'email.message': ['html', 'replyTo'],
    }
    expect(new Set([...missing, ...(type in optional ? optional[type as keyof typeof optional] : [])])).toEqual(
      new Set(Object.keys(examples[type])),
    )
  })

  test.each([
    [null, 'null'],
    [[], 'an array of 0'],
    ['{}', 'a string of 2 characters'],
    [7, 'a number'],
    [undefined, 'nothing'],
  ])('refuses the body %j, which is no object', (json, found) => {
    expect(findIssues('chat.message', json)).toEqual([{ path: '', reason: `expected an object, found ${found}` }])
  })

  test('reads a date with any offset', () => {
    const json = { ...toWire('chat.message'), timestamp: '2025-04-01T11:30:00.25+02:00' }
    expect(parsePayload('chat.message', json).timestamp).toEqual(new Date('2025-04-01T09:30:00.250Z'))
  })

  test('passes records on as they are, __proto__ included', () => {
    const changes: unknown = JSON.parse('{"__proto__":{"admin":true}}')
    expect(parsePayload('audit.event', { ...toWire('audit.event'), changes }).changes).toBe(changes)
  })

  test.each<[MessageType, string]>([
    ['push.notification', 'data'],
    ['email.message', 'text'],
    ['email.message', 'html'],
  ])('takes null in %s for an optional %s that is left out', (type, field) => {
    const { [field]: _, ...others } = { ...examples[type] } as Record<string, unknown>
    const json = Object.freeze({ ...toWire(type), [field]: null })
    expect(parsePayload(type, json)).toStrictEqual(others)
    expect(json).toHaveProperty(field, null)
  })

  test.each<[MessageType, string, unknown]>([
    ['audit.event', 'changes', []],
    ['push.notification', 'data', []],
    ['email.notification', 'data', []],
    ['email.notification', 'data', null],
    ['email.notification', 'data', undefined],
  ])('takes an empty record from %s whose %s is %j', (type, field, empty) => {
    expect(parsePayload(type, { ...toWire(type), [field]: empty })).toStrictEqual({ ...examples[type], [field]: {} })
  })

  test('gives each mail without data a record of its own', () => {
    const { data: _, ...json } = toWire('email.notification')
    const first = parsePayload('email.notification', json).data
    expect(parsePayload('email.notification', json).data).not.toBe(first)
  })

  test.each<[MessageType, string, unknown, string]>([
    ['audit.event', 'changes', ['a'], 'an array of 1'],
    ['audit.event', 'changes', [[]], 'an array of 1'],
    ['audit.event', 'changes', null, 'null'],
    ['audit.event', 'changes', undefined, 'nothing'],
    ['audit.event', 'userId', null, 'null'],
    ['audit.event', 'timestamp', null, 'null'],
    ['push.notification', 'data', [null], 'an array of 1'],
    ['push.notification', 'data', '', 'an empty string'],
    ['push.notification', 'title', null, 'null'],
    ['push.notification', 'recipientIds', {}, 'an object'],
    ['email.notification', 'data', [0], 'an array of 1'],
    ['email.notification', 'template', null, 'null'],
    ['email.message', 'text', [], 'an array of 0'],
    ['email.message', 'to', null, 'null'],
    ['chat.message', 'content', null, 'null'],
  ])('refuses %s whose %s is %j', (type, field, value, found) => {
    expect(findIssues(type, { ...toWire(type), [field]: value })).toEqual([
      { path: field, reason: expect.stringContaining(`found ${found}`) },
    ])
  })

  test('leaves null and [] inside a record to the publisher', () => {
    const changes = { before: null, after: [], nested: { list: [[], null] } }
    expect(parsePayload('audit.event', { ...toWire('audit.event'), changes }).changes).toBe(changes)
  })

  test('asks for a text or html that is not null', () => {
    expect(findIssues('email.message', { ...toWire('email.message'), text: null, html: null })).toEqual([
      { path: 'text', reason: 'expected text, html or both, found neither' },
    ])
  })

  test('counts the bytes of a push notification without what was left out', () => {
    const fits = { ...toWire('push.notification'), title: '', body: 'a'.repeat(3_500 - 22), data: null }
    expect(findIssues('push.notification', fits)).toEqual([])
    expect(findIssues('push.notification', { ...fits, data: [] })).toMatchObject([{ path: '' }])
  })

  test.each<MessageType>(['chat.message', 'audit.event'])('reads a date of %s however its writer put it', (type) => {
    const json = { ...toWire(type), timestamp: '2025-04-01 11:30:00.250999+0200' }
    expect(parsePayload(type, json)).toEqual(examples[type])
  })

  test('lists every fault with its path and what was expected', () => {
    const json = {
      messageId: 'é'.repeat(65),
      conversationId: '',
      senderId: 'user-1',
      tenantId: '42',
      content: 'a\u0000',
      messageType: 'video',
      timestamp: '2025-04-01',
    }
    expect(findIssues('chat.message', json)).toEqual([
      { path: 'messageId', reason: 'expected an id of at most 128 bytes, found 130' },
      { path: 'conversationId', reason: 'expected an id of 1 to 128 bytes, found an empty string' },
      { path: 'tenantId', reason: 'expected an integer from 1 to 9007199254740991, found a string of 2 characters' },
      { path: 'content', reason: 'expected no \\u0000, found one at index 1' },
      { path: 'messageType', reason: 'expected one of text, image, file, system, found a string of 5 characters' },
      {
        path: 'timestamp',
        reason:
          'expected an ISO 8601 date and time with offset such as 2025-03-01T12:00:00Z, found a string of 10 characters',
      },
    ])
  })

  test('names faults inside records and arrays', () => {
    const push = { ...toWire('push.notification'), recipientIds: ['a', '', 'b', 7], data: { a: [{ b: '\u0000' }] } }
    expect(findIssues('push.notification', push).map(({ path }) => path)).toEqual([
      'recipientIds[1]',
      'recipientIds[3]',
      'data.a[0].b',
    ])
    const infinite: unknown = JSON.parse('{"n":[1e400]}')
    expect(findIssues('audit.event', { ...toWire('audit.event'), changes: infinite })).toEqual([
      { path: 'changes.n[0]', reason: 'expected a JSON value, found Infinity' },
    ])
  })

  test('survives a record of 100,000 levels', () => {
    const changes: unknown = JSON.parse(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)
    const [issue] = findIssues('audit.event', { ...toWire('audit.event'), changes })
    expect(issue?.reason).toBe('expected at most 32 levels, found more')
  })

  test('keeps at most 100 faults', () => {
    const json = { recipientIds: new Array(10_000).fill(''), title: 1, body: 1, tenantId: 0 }
    expect(findIssues('push.notification', json)).toHaveLength(100)
  })

  test('never repeats what the message says', () => {
    const secret = 'correct-horse-battery-staple'
    const json = {
      to: [`${secret} <a@example.com>`, secret],
      subject: `${secret}\u0000`,
      text: [secret],
      html: { secret },
      tenantId: secret,
    }
    try {
      parsePayload('email.message', json)
      expect.unreachable()
    } catch (error) {
      expect(error).toBeInstanceOf(InvalidMessageError)
      expect(JSON.stringify(error) + String(error) + (error as Error).stack).not.toContain(secret)
    }
  })
})

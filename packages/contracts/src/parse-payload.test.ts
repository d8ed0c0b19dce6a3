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
    const optional = type === 'push.notification' ? ['data'] : type === 'email.message' ? ['html'] : []
    expect(new Set([...missing, ...optional])).toEqual(new Set(Object.keys(examples[type])))
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

  test('refuses null for an optional field', () => {
    const json = { ...toWire('email.message'), html: null }
    expect(findIssues('email.message', json)).toEqual([{ path: 'html', reason: 'expected a string, found null' }])
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

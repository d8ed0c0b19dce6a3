import { describe, expect, test } from 'vitest'
import * as contracts from './index.js'
import { examples, InvalidMessageError, limits, type MessageType, messageTypes } from './index.js'
import type { MessageIssue } from './invalid-message-error.js'
import { serializePayload, serializeStoredChatMessage } from './serialize-payload.js'

type Fields = Record<string, unknown>

/** Serializes the example with some fields replaced, by values of any type. */
function serializeWith(type: MessageType, fields: Fields): string {
  return serializePayload(type, { ...examples[type], ...fields } as never)
}

function findIssues(serialize: () => string): MessageIssue[] {
  try {
    serialize()
    return []
  } catch (error) {
    if (error instanceof InvalidMessageError) return error.issues
    throw error
  }
}

function messageOf(serialize: () => string): string {
  try {
    return serialize()
  } catch (error) {
    return (error as Error).message
  }
}

const stored = { ...examples['chat.message'], sequence: 7 }

describe('serializePayload', () => {
  test.each(messageTypes)('writes %s as bare JSON', (type) => {
    expect(JSON.parse(serializePayload(type, examples[type]))).toEqual(JSON.parse(JSON.stringify(examples[type])))
  })

  test('writes dates in ISO 8601 with offset', () => {
    expect(JSON.parse(serializePayload('audit.event', examples['audit.event'])).timestamp).toBe(
      '2025-04-01T09:30:00.250Z',
    )
  })

  test('does not change the payload', () => {
    const payload = { ...examples['audit.event'], changes: { list: [1, { a: null }] } }
    const before = structuredClone(payload)
    serializePayload('audit.event', payload)
    expect(payload).toEqual(before)
  })

  test.each(messageTypes)('refuses unknown fields of %s, each by name', (type) => {
    expect(findIssues(() => serializeWith(type, { extra: 1, 'odd key': undefined }))).toEqual([
      { path: 'extra', reason: 'expected no such field, found one' },
      { path: '["odd key"]', reason: 'expected no such field, found one' },
    ])
  })

  test('refuses an unknown field named __proto__', () => {
    const payload = JSON.parse(JSON.stringify(examples['email.message']).replace('{', '{"__proto__":{},'))
    expect(findIssues(() => serializePayload('email.message', payload)).map(({ path }) => path)).toEqual(['__proto__'])
  })

  test('refuses text where a Date is expected, and an invalid Date', () => {
    const timestamp = '2025-04-01T09:30:00.250Z'
    expect(findIssues(() => serializeWith('chat.message', { timestamp }))).toEqual([
      { path: 'timestamp', reason: 'expected a Date, found a string of 24 characters' },
    ])
    expect(findIssues(() => serializeWith('audit.event', { timestamp: new Date('soon') }))).toEqual([
      { path: 'timestamp', reason: 'expected a valid Date in the years 0001 to 9999, found an invalid Date' },
    ])
  })

  test('leaves out optional fields that are undefined', () => {
    expect(serializeWith('push.notification', { data: undefined })).not.toContain('data')
    expect(JSON.parse(serializeWith('email.message', { html: undefined }))).not.toHaveProperty('html')
  })

  test.each<[MessageType, string, unknown]>([
    ['push.notification', 'data', null],
    ['push.notification', 'data', []],
    ['email.message', 'html', null],
    ['email.notification', 'data', null],
    ['email.notification', 'data', []],
    ['audit.event', 'changes', []],
    ['audit.event', 'timestamp', '2025-04-01T09:30:00Z'],
  ])('is strict where consuming is not: %s with %s of %j', (type, field, value) => {
    expect(findIssues(() => serializeWith(type, { [field]: value })).map(({ path }) => path)).toEqual([field])
  })

  test('sends an empty record for data that is undefined, where the type asks for data', () => {
    expect(JSON.parse(serializeWith('email.notification', { data: undefined })).data).toEqual({})
  })

  test('says which unknown fields to leave out, and what does it', () => {
    const row = { id: 7, createdAt: new Date(), 'odd key': 1 }
    expect(() => serializeWith('chat.message', row)).toThrow(
      /^Invalid chat\.message: id: expected no such field, found one; .*\. Leave out id, createdAt, \["odd key"\], or send pickChatMessage\(row\)\.$/,
    )
    expect(() => serializeStoredChatMessage({ ...stored, storedAt: 1 } as never)).toThrow(/\. Leave out storedAt\.$/)
  })

  test.each(messageTypes)('names a function that there is for %s', (type) => {
    const [, name] = /or send (\w+)\(row\)/.exec(messageOf(() => serializeWith(type, { extra: 1 }))) ?? []
    expect(contracts).toHaveProperty(name ?? '', expect.any(Function))
  })

  test('gives no such advice where no field is unknown', () => {
    expect(messageOf(() => serializeWith('chat.message', { tenantId: 0 }))).not.toContain('eave out')
  })

  test('lists faults of fields, of records and of the whole together', () => {
    const issues = findIssues(() =>
      serializeWith('push.notification', { tenantId: 0, recipientIds: [''], title: 'a'.repeat(3_500), extra: 1 }),
    )
    expect(issues.map(({ path }) => path)).toEqual(['recipientIds[0]', 'tenantId', 'extra', ''])
  })

  test('lists faults inside a record beside those of other fields', () => {
    const issues = findIssues(() =>
      serializeWith('audit.event', {
        userId: 7,
        changes: { a: { b: undefined }, list: [Number.NaN] },
        timestamp: new Date(Number.NaN),
      }),
    )
    expect(issues.map(({ path }) => path)).toEqual(['userId', 'changes.a.b', 'changes.list[0]', 'timestamp'])
  })

  test('refuses a body of more than 1 MiB, counted in bytes', () => {
    const room = limits.bodyBytes - Buffer.byteLength(serializeWith('email.message', { text: '' }))
    const fits = serializeWith('email.message', { text: `${'é'.repeat(room >> 1)}${'a'.repeat(room & 1)}` })
    expect(Buffer.byteLength(fits)).toBe(limits.bodyBytes)
    const text = `${'é'.repeat(room >> 1)}${'a'.repeat((room & 1) + 1)}`
    expect(findIssues(() => serializeWith('email.message', { text }))).toEqual([
      { path: '', reason: `expected at most ${limits.bodyBytes} bytes of JSON, found ${limits.bodyBytes + 1}` },
    ])
  })
})

describe('the limits', () => {
  const record = (levels: number): Fields => (levels === 1 ? {} : { a: record(levels - 1) })
  const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `user-${index}`)
  const addresses = (count: number): string[] => ids(count).map((id) => `${id}@example.com`)
  const pushRoom = limits.pushPayloadBytes - JSON.stringify({ title: '', body: '', data: {} }).length

  test.each<[string, MessageType, Fields, Fields, string]>([
    ['ids', 'chat.message', { senderId: 'a'.repeat(128) }, { senderId: 'a'.repeat(129) }, 'senderId'],
    ['ids in bytes', 'chat.message', { messageId: 'é'.repeat(64) }, { messageId: 'é'.repeat(65) }, 'messageId'],
    ['tenants', 'email.message', { tenantId: 2 ** 53 - 1 }, { tenantId: 2 ** 53 }, 'tenantId'],
    ['content', 'chat.message', { content: 'a'.repeat(65_536) }, { content: 'a'.repeat(65_537) }, 'content'],
    ['content in bytes', 'chat.message', { content: 'é'.repeat(32_768) }, { content: 'é'.repeat(32_769) }, 'content'],
    ['levels of changes', 'audit.event', { changes: record(32) }, { changes: record(33) }, `changes${'.a'.repeat(32)}`],
    ['levels of data', 'email.notification', { data: record(32) }, { data: record(100) }, `data${'.a'.repeat(32)}`],
    ['recipients', 'push.notification', { recipientIds: ids(10_000) }, { recipientIds: ids(10_001) }, 'recipientIds'],
    ['no recipients', 'push.notification', { recipientIds: ids(1) }, { recipientIds: [] }, 'recipientIds'],
    ['addresses', 'email.message', { to: addresses(1_000) }, { to: addresses(1_001) }, 'to'],
    ['no addresses', 'email.notification', { to: addresses(1) }, { to: [] }, 'to'],
    [
      'length of an address',
      'email.message',
      { to: [`${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}.com`] },
      { to: [`${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(58)}.com`] },
      'to[0]',
    ],
    ['domain', 'email.message', { to: ['ada@ｅxample.com'] }, { to: ['ada@0x7f.１'] }, 'to[0]'],
    ['domain', 'email.notification', { replyTo: 'ada@ü.example' }, { replyTo: 'ada@127.0.0.1' }, 'replyTo'],
    ['template', 'email.notification', { template: 'a'.repeat(64) }, { template: 'a'.repeat(65) }, 'template'],
    ['template path', 'email.notification', { template: 'a-1' }, { template: '../secret' }, 'template'],
    ['template case', 'email.notification', { template: '-' }, { template: 'Welcome' }, 'template'],
    ['template name', 'email.notification', { template: '0' }, { template: '' }, 'template'],
    ['template suffix', 'email.notification', { template: 'a' }, { template: 'a.b' }, 'template'],
    ['template line', 'email.notification', { template: 'a' }, { template: 'a\n' }, 'template'],
    [
      'push payload in title',
      'push.notification',
      { body: '', data: {}, title: 'a'.repeat(pushRoom) },
      { body: '', data: {}, title: 'a'.repeat(pushRoom + 1) },
      '',
    ],
    [
      'push payload in bytes of escaped JSON',
      'push.notification',
      { body: '"'.repeat(10), data: {}, title: `${'é'.repeat((pushRoom - 20) >> 1)}` },
      { body: '"'.repeat(11), data: {}, title: `${'é'.repeat((pushRoom - 20) >> 1)}` },
      '',
    ],
    ['mail body', 'email.message', { text: undefined }, { text: undefined, html: undefined }, 'text'],
  ])('hold at the boundary: %s', (_, type, accepted, refused, path) => {
    expect(findIssues(() => serializeWith(type, accepted))).toEqual([])
    expect(findIssues(() => serializeWith(type, refused)).map((issue) => issue.path)).toEqual([path])
  })
})

describe('serializeStoredChatMessage', () => {
  test('writes the chat message with its sequence as a number', () => {
    expect(JSON.parse(serializeStoredChatMessage(stored))).toEqual({
      ...JSON.parse(JSON.stringify(examples['chat.message'])),
      sequence: 7,
    })
  })

  test.each([0, -1, 1.5, '7', 7n, undefined])('refuses the sequence %s', (sequence) => {
    const issues = findIssues(() => serializeStoredChatMessage({ ...stored, sequence } as never))
    expect(issues.map(({ path }) => path)).toEqual(['sequence'])
  })

  test('refuses unknown fields', () => {
    const issues = findIssues(() => serializeStoredChatMessage({ ...stored, storedAt: new Date() } as never))
    expect(issues.map(({ path }) => path)).toEqual(['storedAt'])
  })

  test('leaves the sequence out of what is sent to the chat worker', () => {
    expect(findIssues(() => serializePayload('chat.message', stored)).map(({ path }) => path)).toEqual(['sequence'])
  })
})

import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  type AuditEvent,
  type ChatMessage,
  type EmailMessage,
  type EmailNotification,
  examples,
  type MessageType,
  messageTypes,
  type PayloadByType,
  type PushNotification,
  pickAuditEvent,
  pickChatMessage,
  pickEmailMessage,
  pickEmailNotification,
  pickPushNotification,
  serializePayload,
} from './index.js'

const pick: { [T in MessageType]: (row: PayloadByType[T]) => PayloadByType[T] } = {
  'chat.message': pickChatMessage,
  'push.notification': pickPushNotification,
  'email.notification': pickEmailNotification,
  'email.message': pickEmailMessage,
  'audit.event': pickAuditEvent,
}

const more = { id: 7n, createdAt: new Date(), updatedAt: null, deleted: false, author: { name: 'Ada' }, undefined }

function pickAs<T extends MessageType>(type: T, row: object): PayloadByType[T] {
  return pick[type](row as PayloadByType[T])
}

describe('picking a payload', () => {
  test.each(messageTypes)('takes the fields of %s from a row with more, as they are', (type) => {
    const row = Object.freeze({ ...more, ...examples[type], __typename: 'Row' })
    const payload = pickAs(type, row)
    expect(payload).toStrictEqual(examples[type])
    expect(serializePayload(type, payload)).toBe(serializePayload(type, examples[type]))
    expect(row).toMatchObject(more)
  })

  test('leaves out an optional field that is null', () => {
    expect(pickPushNotification({ ...examples['push.notification'], data: null })).not.toHaveProperty('data')
    expect(pickEmailMessage({ ...examples['email.message'], text: null })).not.toHaveProperty('text')
    expect(pickEmailMessage({ ...examples['email.message'], html: undefined })).not.toHaveProperty('html')
    expect(pickEmailMessage({ ...examples['email.message'], replyTo: null })).not.toHaveProperty('replyTo')
    expect(pickEmailNotification({ ...examples['email.notification'], replyTo: null })).not.toHaveProperty('replyTo')
    expect(pickEmailNotification({ ...examples['email.notification'], data: null }).data).toEqual({})
    expect(pickAs('email.notification', { ...examples['email.notification'], data: undefined }).data).toEqual({})
  })

  test('leaves it to sending to refuse null where the field must be there', () => {
    const payload = pickAs('chat.message', { ...examples['chat.message'], content: null, timestamp: undefined })
    expect(() => serializePayload('chat.message', payload)).toThrow(/content: .*found null; timestamp: .*found nothing/)
  })

  test.each<[unknown, unknown]>([
    [42, 42],
    [42n, 42],
    ['42', 42],
    [2n ** 53n - 1n, 2 ** 53 - 1],
    ['9007199254740991', 2 ** 53 - 1],
    [2n ** 53n, 2n ** 53n],
    ['9007199254740993', '9007199254740993'],
    ['4.2', '4.2'],
    ['', ''],
    [' 42', ' 42'],
    ['-42', '-42'],
    ['0x2a', '0x2a'],
  ])('makes of the tenantId %s %s', (found, picked) => {
    expect(pickAs('audit.event', { ...examples['audit.event'], tenantId: found }).tenantId).toBe(picked)
  })

  test('converts nothing else', () => {
    const row = {
      ...examples['audit.event'],
      entityId: '7',
      changes: { total: 7n, note: null },
      timestamp: '2025-04-01',
    }
    expect(pickAs('audit.event', row)).toEqual(row)
  })

  test('reads the getters of a model', () => {
    class Model {
      readonly #row = examples['chat.message']
      get messageId() {
        return this.#row.messageId
      }
      get conversationId() {
        return this.#row.conversationId
      }
      get senderId() {
        return this.#row.senderId
      }
      get tenantId() {
        return this.#row.tenantId
      }
      get content() {
        return this.#row.content
      }
      get messageType() {
        return this.#row.messageType
      }
      get timestamp() {
        return this.#row.timestamp
      }
      save() {}
    }
    expect(pickChatMessage(new Model())).toStrictEqual(examples['chat.message'])
  })

  test('takes rows as an ORM types them, and gives what can be sent', () => {
    type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
    interface Base {
      id: bigint
      tenantId: bigint
      createdAt: Date
    }
    interface ChatRow extends Base {
      messageId: string
      conversationId: string
      senderId: string
      content: string
      messageType: 'text' | 'image' | 'file' | 'system'
      timestamp: Date
      editedAt: Date | null
    }
    interface PushRow extends Base {
      recipientIds: readonly string[]
      title: string
      body: string
      data: Json | null
    }
    interface EmailMessageRow extends Omit<Base, 'tenantId'> {
      tenantId: string
      to: string[]
      subject: string
      text: string | null
      html: string | null
    }
    interface AuditRow extends Base {
      eventType: string
      userId: string
      entityType: string
      entityId: string
      changes: Json
      timestamp: Date
    }
    expectTypeOf(pickChatMessage<ChatRow>).returns.toEqualTypeOf<ChatMessage>()
    expectTypeOf(pickPushNotification<PushRow>).returns.toEqualTypeOf<PushNotification>()
    expectTypeOf(pickEmailMessage<EmailMessageRow>).returns.toEqualTypeOf<EmailMessage>()
    expectTypeOf(pickEmailNotification<EmailNotification>).returns.toEqualTypeOf<EmailNotification>()
    expectTypeOf(pickAuditEvent<AuditRow>).returns.toEqualTypeOf<AuditEvent>()
    // @ts-expect-error a field is missing
    expect(() => serializePayload('chat.message', pickChatMessage({ ...more, messageId: 'm-1' }))).toThrow()
    // @ts-expect-error a time is no Date
    pickChatMessage({ ...examples['chat.message'], timestamp: '2025-04-01T09:30:00Z' })
  })
})

import { describe, expect, test } from 'vitest'
import { recordLogs } from '../test/support/record-logs.js'
import { createLogger, redactedKeys } from './logger.js'

describe('a log line', () => {
  test('is JSON with the level as a word, an ISO time and the name of the worker', () => {
    const { logger, records } = recordLogs()
    logger.info({ queue: 'audit.events' }, 'Something happened')
    expect(records).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        pid: expect.any(Number),
        hostname: expect.any(String),
        name: 'test-worker',
        queue: 'audit.events',
        msg: 'Something happened',
      },
    ])
  })

  test('of a child carries what the child is about', () => {
    const { logger, records } = recordLogs()
    logger.child({ messageId: 'm1' }).warn({ attempt: 2 }, 'Retried')
    expect(records[0]).toMatchObject({ level: 'warn', messageId: 'm1', attempt: 2 })
  })

  test('has an error with its causes', () => {
    const { logger, records } = recordLogs()
    logger.error({ err: new Error('outer', { cause: new Error('inner') }) }, 'Failed')
    expect(records[0]?.err).toMatchObject({ type: 'Error', message: 'outer', cause: { message: 'inner' } })
  })

  test('is not written below the level, and never when silent', () => {
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    createLogger({ name: 'w', destination }).debug({}, 'Too quiet')
    createLogger({ name: 'w', level: 'silent', destination }).fatal({}, 'Silenced')
    expect(lines).toEqual([])
  })
})

describe('nothing of a payload or an address is logged', () => {
  const secret = 'SECRET-4711'
  const payloads: Record<string, object> = {
    chat: { messageId: 'm', conversationId: 'c', senderId: 's', tenantId: 1, content: secret, messageType: 'text' },
    push: { recipientIds: ['r'], title: secret, body: secret, data: { deep: { deeper: secret } }, tenantId: 1 },
    template: { to: [secret], subject: secret, template: 'welcome', data: { name: secret }, tenantId: 1 },
    mail: { to: [secret], subject: secret, text: secret, html: secret, tenantId: 1 },
    audit: { eventType: 'e', userId: 'u', tenantId: 1, changes: { field: [secret] } },
  }

  test.each(Object.entries(payloads))('of a %s message, at any of three levels', (_type, payload) => {
    const { logger, records, text } = recordLogs()
    logger.info(payload, 'Spread into the line')
    logger.info({ message: payload }, 'Under a key')
    logger.info({ batch: { first: payload } }, 'Two levels down')
    logger.info({ batch: [payload, payload] }, 'In an array')
    logger.info({ message: { payload } }, 'As the payload of a message')
    logger.info({ messages: [{ messageId: 'm', payload }] }, 'As the payload of messages')
    logger.child(payload).info({}, 'Bound to a child')
    logger.child({ message: payload }).info({}, 'Bound to a child under a key')
    expect(records).toHaveLength(8)
    expect(text()).not.toContain(secret)
  })

  test.each(redactedKeys)('of the field %s', (key) => {
    const { logger, records, text } = recordLogs()
    logger.info({ [key]: secret, a: { [key]: secret, b: { [key]: [secret] } } }, 'Redacted')
    expect(text()).not.toContain(secret)
    expect(records[0]).toMatchObject({ [key]: '[redacted]', a: { [key]: '[redacted]', b: { [key]: '[redacted]' } } })
  })

  test('of passwords in URLs, wherever they stand', () => {
    const { logger, text } = recordLogs()
    const url = `amqp://admin:${secret}@broker/mono`
    logger.info({ url, deep: { down: { in: [{ the: url }] } } }, 'Connected')
    logger.error({ err: new Error(`cannot reach ${url}`, { cause: new Error(url) }) }, `Cannot reach ${url}`)
    logger.child({ url }).info({}, 'Bound')
    expect(text()).not.toContain(secret)
    expect(text()).toContain('amqp://admin:[redacted]@broker/mono')
  })

  test('of an error that somebody logs directly', () => {
    const { logger, text } = recordLogs()
    logger.error(Object.assign(new Error('boom'), { detail: secret, payload: { content: secret } }), 'Failed')
    expect(text()).toContain('boom')
    expect(text()).not.toContain(secret)
  })
})

import type { RetryStep } from '@mono/rascal-config'
import { describe, expect, test } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { Delivery } from '../receiving/delivery.js'
import { createCopy } from './create-copy.js'
import type { ForwardSettlement } from './decide-settlement.js'

const step: RetryStep = { name: '10s', delayMs: 10_000 }
const error = new Error('no luck')
const retry: ForwardSettlement = { kind: 'retry', step, code: 'PROVIDER_UNAVAILABLE', error, attempts: 1 }
const defer: ForwardSettlement = { kind: 'defer', step, code: 'DATABASE_UNAVAILABLE', error, attempts: 0 }
const deadLetter: ForwardSettlement = { kind: 'dead-letter', code: 'PROVIDER_REJECTED', error, attempts: 1 }
const origin = { workerName: 'push-worker', publishedAt: new Date() }

const forwards: [ForwardSettlement['kind'], ForwardSettlement][] = [
  ['retry', retry],
  ['defer', defer],
  ['dead-letter', deadLetter],
]

/** The copy of a message that was received with these properties, and that message. */
function copy(settlement: ForwardSettlement, properties: Record<string, unknown> = {}, maxFrameBytes = 131_072) {
  const message = createConsumeMessage({ properties })
  const channel = { ack: () => {}, reject: () => {}, closed: new AbortController().signal, maxFrameBytes }
  const delivery = new Delivery('push.notifications', message, { channel, alone: false })
  return { copied: createCopy(delivery, settlement, origin), message }
}

describe.each(forwards)('the copy for a %s', (_kind, settlement) => {
  test('keeps the properties and the body', () => {
    const properties = {
      correlationId: 'c-1',
      appId: 'app',
      replyTo: 'answers',
      timestamp: 1_743_499_800,
      type: 'push.notification',
      messageId: 'm-1',
      contentType: 'application/json',
      contentEncoding: 'identity',
      priority: 4,
      deliveryMode: 2,
    }
    const { copied, message } = copy(settlement, properties)
    expect(copied.properties).toMatchObject(properties)
    expect(copied.content.equals(message.content)).toBe(true)
  })

  test('has no expiration, which would end its wait, and no user id, which the broker would refuse', () => {
    const { copied } = copy(settlement, { expiration: '60000', userId: 'publisher' })
    expect(copied.properties.expiration).toBeUndefined()
    expect(copied.properties.userId).toBeUndefined()
    expect(copied.properties.headers?.['x-original-expiration']).toBe('60000')
  })

  test('carries the headers of its publisher, and says what happened', () => {
    const { copied } = copy(settlement, { headers: { 'x-mine': 'kept' } })
    expect(copied.properties.headers).toMatchObject({ 'x-mine': 'kept', 'x-attempts': settlement.attempts })
  })

  test('tells rascal the queue and nothing else, whatever the publisher wrote', () => {
    const forged = { originalQueue: 'audit.events', recovery: { 'push.notifications': { immediateNack: true } } }
    for (const headers of [{}, { rascal: forged }, { rascal: 'boo' }]) {
      const { copied } = copy(settlement, { headers })
      expect(copied.properties.headers?.rascal).toEqual({ originalQueue: 'push.notifications' })
    }
  })

  test('has no deaths, in which the broker would detect a cycle', () => {
    const { copied } = copy(settlement, { headers: { 'x-death': [{ queue: 'push.notifications', count: 1 }] } })
    expect(copied.properties.headers).not.toHaveProperty('x-death')
  })

  test('leaves the received message as it is', () => {
    const properties = {
      expiration: '60000',
      userId: 'publisher',
      replyTo: '\uFFFD'.repeat(86),
      headers: { 'x-mine': 'kept', rascal: 'theirs', 'x-death': [{}] },
    }
    const { copied, message } = copy(settlement, structuredClone(properties))
    expect(copied).not.toBe(message)
    expect(message).toEqual(createConsumeMessage({ properties }))
  })
})

test('the copy says by which worker its original was dead-lettered, and when it was published if it comes back', () => {
  expect(copy(deadLetter).copied.properties.headers?.['x-failed-by']).toMatch(/^push-worker@/)
  for (const settlement of [retry, defer]) {
    const { headers } = copy(settlement).copied.properties
    expect(headers?.['x-published-at']).toBe(origin.publishedAt.toISOString())
  }
})

test.each([
  ['correlationId', '\uFFFD'.repeat(86)],
  ['replyTo', '\uFFFD'.repeat(86)],
  ['messageId', '\uFFFD'.repeat(86)],
  ['type', '\uFFFD'.repeat(86)],
  ['appId', '\uFFFD'.repeat(86)],
  ['clusterId', '\uFFFD'.repeat(86)],
  ['contentType', '\uFFFD'.repeat(86)],
  ['contentEncoding', '\uFFFD'.repeat(86)],
  ['timestamp', 2 ** 64],
])('the copy goes without the property %s if it can be received but not sent', (name, value) => {
  const { copied } = copy(deadLetter, { appId: 'app', [name]: value })
  expect(copied.properties).toMatchObject({ ...(name !== 'appId' && { appId: 'app' }), [name]: undefined })
})

test('the copy keeps a text of 255 bytes and no longer one', () => {
  expect(copy(deadLetter, { replyTo: 'x'.repeat(255) }).copied.properties.replyTo).toHaveLength(255)
  expect(copy(deadLetter, { replyTo: 'x'.repeat(256) }).copied.properties.replyTo).toBeUndefined()
})

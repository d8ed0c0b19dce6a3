import type { RetryStep } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import type { AckOrNack, Recovery } from 'rascal'
import { describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../test/support/create-consume-message.js'
import type { Settlement } from './decide-settlement.js'
import { Delivery } from './delivery.js'

const received = vi.hoisted(() => new WeakMap<object, Record<string, unknown>>())
vi.mock('./rascal-tap.js', () => ({ headersOf: (message: object) => received.get(message), isSentAlone: () => false }))

const step: RetryStep = { name: '1s', delayMs: 1_000 }
const error = new Error('no luck')
const retry: Settlement = { kind: 'retry', step, code: 'PROVIDER_UNAVAILABLE', error, attempts: 1 }
const defer: Settlement = { kind: 'defer', step, code: 'DATABASE_UNAVAILABLE', error, attempts: 0 }
const deadLetter: Settlement = { kind: 'dead-letter', code: 'PROVIDER_REJECTED', error, attempts: 1 }
const from = { workerName: 'chat-worker', publishedAt: new Date() }

type Done = (error?: Error) => void

interface Answer {
  reason?: Error
  recovery?: Recovery
}

/** A delivery as rascal hands it over, and what rascal is then told. */
function createDelivery({
  headers = {},
  properties = {},
  redelivered = false,
  fault,
}: {
  headers?: Record<string, unknown>
  properties?: Record<string, unknown>
  redelivered?: boolean
  fault?: Error
} = {}) {
  const rascal = { originalQueue: 'chat.messages' }
  const message: ConsumeMessage = createConsumeMessage({
    redelivered,
    properties: { ...properties, headers: { rascal } },
  })
  received.set(message, headers)
  const answers: Answer[] = []
  const ackOrNack: AckOrNack = (...args: [Done] | [Error, Recovery, Done]) => {
    if (args.length === 1) {
      answers.push({})
      args[0](fault)
    } else {
      const [reason, recovery, done] = args
      answers.push({ reason, recovery })
      done(fault)
    }
  }
  return { delivery: new Delivery('chat.messages', message, ackOrNack), message, answers, rascal }
}

describe('a delivery', () => {
  test('knows the headers that it was received with, not those that rascal sees', () => {
    const { delivery } = createDelivery({ headers: { 'x-mine': 'kept' } })
    expect(delivery.headers).toEqual({ 'x-mine': 'kept' })
  })

  test.each([
    ['as the broker counts', true, 3, 3],
    ['0 at first, whatever the publisher has written', false, 3, 0],
    ['0 where the broker says nothing', true, undefined, 0],
  ])('knows how often it was in hand when its consumer ended: %s', (_what, redelivered, header, expected) => {
    const headers = header === undefined ? {} : { 'x-delivery-count': header }
    expect(createDelivery({ headers, redelivered }).delivery.deliveryCount).toBe(expected)
  })

  test('is acknowledged', async () => {
    const { delivery, answers } = createDelivery()
    expect(await delivery.settle({ kind: 'ack' }, from)).toBe(true)
    expect(answers).toEqual([{}])
  })

  test('is handed back to its queue rather than dead-lettered', async () => {
    const { delivery, answers } = createDelivery()
    expect(await delivery.settle({ kind: 'return' }, from)).toBe(true)
    expect(answers).toMatchObject([{ recovery: { strategy: 'nack', requeue: true } }])
  })

  test.each([
    ['retry', retry, 'chat.messages.retry.1s'],
    ['defer', defer, 'chat.messages.retry.1s'],
    ['dead-letter', deadLetter, 'chat.messages.dlq'],
  ])(
    'is forwarded to %s, with its routing left alone and no cycle for the broker to detect',
    async (_kind, settlement, publication) => {
      const { delivery, answers } = createDelivery()
      expect(await delivery.settle(settlement, from)).toBe(true)
      expect(answers).toEqual([
        {
          reason: expect.any(Error),
          recovery: { strategy: 'forward', publication, xDeathFix: true, restoreRoutingHeaders: false },
        },
      ])
    },
  )

  test('is settled once: what comes later does nothing and says so', async () => {
    const { delivery, answers } = createDelivery()
    const settlements: Settlement[] = [{ kind: 'ack' }, { kind: 'return' }, retry, defer, deadLetter]
    const settled = await Promise.all(settlements.map((settlement) => delivery.settle(settlement, from)))
    expect(settled).toEqual([true, false, false, false, false])
    expect(answers).toEqual([{}])
  })

  test.each<[string, Settlement]>([
    ['an ack', { kind: 'ack' }],
    ['a return', { kind: 'return' }],
    ['a retry', retry],
    ['a dead letter', deadLetter],
  ])('says when %s failed, and is not settled again', async (_what, settlement) => {
    const fault = new Error('The channel has been closed. Unable to ack message')
    const { delivery, answers } = createDelivery({ fault })
    await expect(delivery.settle(settlement, from)).rejects.toBe(fault)
    expect(await delivery.settle({ kind: 'ack' }, from)).toBe(false)
    expect(answers).toHaveLength(1)
  })
})

describe('the copy of a delivery', () => {
  const properties = {
    correlationId: 'c-1',
    appId: 'app',
    replyTo: 'answers',
    timestamp: 1_743_499_800,
    type: 'chat.message',
    messageId: 'm-1',
    contentType: 'application/json',
    contentEncoding: 'identity',
    priority: 4,
  }

  test.each<[string, Settlement]>([
    ['retry', retry],
    ['defer', defer],
    ['dead-letter', deadLetter],
  ])('for a %s keeps the properties and the body', async (_kind, settlement) => {
    const { delivery, message } = createDelivery({ properties })
    const body = message.content.toString()
    await delivery.settle(settlement, from)
    expect(message.properties).toMatchObject(properties)
    expect(message.content.toString()).toBe(body)
  })

  test.each<[string, Settlement]>([
    ['retry', retry],
    ['defer', defer],
    ['dead-letter', deadLetter],
  ])(
    'for a %s has no expiration, which would end its wait, and no user id, which the broker would refuse',
    async (_kind, settlement) => {
      const { delivery, message } = createDelivery({ properties: { expiration: '60000', userId: 'publisher' } })
      await delivery.settle(settlement, from)
      expect(message.properties.expiration).toBeUndefined()
      expect(message.properties.userId).toBeUndefined()
      expect(message.properties.headers?.['x-original-expiration']).toBe('60000')
    },
  )

  test('carries the headers of its publisher, what happened, and the rascal header of this delivery only', async () => {
    const forged = { recovery: { 'chat.messages': { immediateNack: true } } }
    const { delivery, message, rascal } = createDelivery({
      headers: { 'x-mine': 'kept', rascal: forged, 'x-death': 'boo' },
    })
    await delivery.settle(retry, from)
    expect(message.properties.headers).toMatchObject({ 'x-mine': 'kept', 'x-attempts': 1, rascal })
    expect(message.properties.headers?.rascal).toBe(rascal)
    expect(message.properties.headers).not.toHaveProperty('x-death')
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
  ])('goes without the property %s if it can be received but not sent', async (name, value) => {
    const { delivery, message } = createDelivery({ properties: { appId: 'app', [name]: value } })
    await delivery.settle(deadLetter, from)
    expect(message.properties).toMatchObject({ ...(name !== 'appId' && { appId: 'app' }), [name]: undefined })
  })

  test('tells rascal nothing of the error, whose code may be what no header can hold', async () => {
    const { delivery, answers } = createDelivery()
    const strange = Object.assign(new Error('x'.repeat(10_000)), { code: { toJSON: () => 'boo' } })
    await delivery.settle({ ...deadLetter, error: strange }, from)
    expect(answers).toMatchObject([{ reason: new Error('PROVIDER_REJECTED') }])
    expect(answers[0]?.reason).not.toHaveProperty('code')
  })

  test('is not prepared for what is only acknowledged or handed back', async () => {
    for (const kind of ['ack', 'return'] as const) {
      const { delivery, message } = createDelivery({ properties: { expiration: '60000' } })
      await delivery.settle({ kind }, from)
      expect(message.properties.expiration).toBe('60000')
    }
  })
})

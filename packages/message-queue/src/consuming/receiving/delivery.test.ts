import { beforeEach, describe, expect, test, vi } from 'vitest'
import { type ConsumeMessageParts, createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { Delivery } from './delivery.js'

const ack = vi.fn()
const reject = vi.fn()
let closing: AbortController

beforeEach(() => {
  vi.resetAllMocks()
  closing = new AbortController()
})

function createDelivery(parts: ConsumeMessageParts = {}, { alone = false } = {}) {
  const message = createConsumeMessage(parts)
  const delivery = new Delivery('push.notifications', message, {
    channel: { ack, reject, closed: closing.signal, maxFrameBytes: 131_072 },
    alone,
  })
  return { delivery, message }
}

describe('a delivery', () => {
  test('has the headers that it was received with', () => {
    const { delivery, message } = createDelivery({ properties: { headers: { 'x-mine': 'kept', rascal: 'theirs' } } })
    expect(delivery.headers).toEqual({ 'x-mine': 'kept', rascal: 'theirs' })
    expect(delivery.message).toBe(message)
  })

  test('has none if it was received without', () => {
    expect(createDelivery({ properties: { headers: undefined } }).delivery.headers).toEqual({})
  })

  test.each([
    ['as the broker counts', true, 3, 3],
    ['0 at first, whatever the publisher has written', false, 3, 0],
    ['0 where the broker says nothing', true, undefined, 0],
    ['0 where the header is no number', true, '3', 0],
  ])('knows how often it was in flight when its consumer ended: %s', (_what, redelivered, header, expected) => {
    const headers = header === undefined ? {} : { 'x-delivery-count': header }
    expect(createDelivery({ redelivered, properties: { headers } }).delivery.deliveryCount).toBe(expected)
  })

  test.each([true, false])('knows whether it was sent alone: %s', (alone) => {
    expect(createDelivery({}, { alone }).delivery.alone).toBe(alone)
  })

  test('was first seen when it was made', () => {
    const before = Date.now()
    const { delivery } = createDelivery()
    expect(delivery.firstSeen.getTime()).toBeGreaterThanOrEqual(before)
    expect(delivery.firstSeen.getTime()).toBeLessThanOrEqual(Date.now())
  })

  test('is claimed by the first caller only', () => {
    const { delivery } = createDelivery()
    expect([delivery.claim(), delivery.claim(), delivery.claim()]).toEqual([true, false, false])
  })

  test('is acknowledged', () => {
    const { delivery, message } = createDelivery()
    delivery.ack()
    expect(ack).toHaveBeenCalledExactlyOnceWith(message)
    expect(reject).not.toHaveBeenCalled()
  })

  test('is returned to its queue rather than dead-lettered', () => {
    const { delivery, message } = createDelivery()
    delivery.return()
    expect(reject).toHaveBeenCalledExactlyOnceWith(message, { requeue: true })
    expect(ack).not.toHaveBeenCalled()
  })

  test('is rejected so that the broker dead-letters it', () => {
    const { delivery, message } = createDelivery()
    delivery.reject()
    expect(reject).toHaveBeenCalledExactlyOnceWith(message, { requeue: false })
    expect(ack).not.toHaveBeenCalled()
  })

  test('is lost when its channel is closed, and says that it cannot be settled', () => {
    const { delivery } = createDelivery()
    expect(delivery.lost.aborted).toBe(false)
    const fault = new Error('The channel that the delivery came by is closed.')
    for (const settle of [ack, reject]) {
      settle.mockImplementation(() => {
        throw fault
      })
    }
    closing.abort(fault)
    expect(delivery.lost.aborted).toBe(true)
    expect(() => delivery.ack()).toThrow(fault)
    expect(() => delivery.return()).toThrow(fault)
    expect(() => delivery.reject()).toThrow(fault)
  })
})

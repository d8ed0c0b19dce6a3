import { createRecordingLogger } from '@mono/test-support'
import { untilAborted } from '@mono/waiting'
import type { ConsumeMessage } from 'amqplib'
import { describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { createGate } from '../../../test/support/create-gate.js'
import { createHeld } from '../../../test/support/create-held.js'
import { DeferError, GiveWayError, PermanentError, RetryableError } from '../../errors/handler-errors.js'
import { InvalidDeliveryError } from '../../errors/invalid-delivery-error.js'
import type { ReceivedMessage } from '../reading/received-message.js'
import { Delivery, type DeliveryChannel } from '../receiving/delivery.js'
import type { SettledEvent } from './settled-event.js'
import { Settler, type SettlerOptions } from './settler.js'

const secret = 'hunter2'

interface DeliveryParts {
  headers?: Record<string, unknown>
  properties?: Record<string, unknown>
}

const published = { 'x-published-at': '1970-01-01T00:00:01.000Z' }

/** A count of attempts is believed there only. */
const backFromRetry = {
  parts: { exchange: 'push.notifications.retry', routingKey: 'work' },
  headers: { 'x-original-exchange': 'notifications', 'x-original-routing-key': 'push.web' },
}

/** A delivery that notes what is done with it, until its channel is closed. */
function createDelivery({ headers = published, properties = {} }: DeliveryParts = {}) {
  const done: string[] = []
  const closing = new AbortController()
  const settleAs = (what: string) => {
    if (closing.signal.aborted) throw closing.signal.reason
    done.push(what)
  }
  const channel: DeliveryChannel = {
    closed: closing.signal,
    maxFrameBytes: 131_072,
    ack: () => settleAs('ack'),
    reject: (_message, { requeue }) => settleAs(requeue ? 'return' : 'reject'),
  }
  const isRetried = 'x-attempts' in headers
  const message = createConsumeMessage({
    ...(isRetried && backFromRetry.parts),
    body: { body: secret },
    properties: { ...properties, headers: { ...(isRetried && backFromRetry.headers), ...headers } },
  })
  const lose = () => closing.abort(new Error('The channel that the delivery came by is closed.'))
  return { delivery: new Delivery('push.notifications', message, { channel, alone: false }), message, done, lose }
}

type Forward = SettlerOptions['forward']

function createSettler(forward: Forward = async () => {}) {
  const events: SettledEvent[] = []
  const forwarded: { publication: string; copy: ConsumeMessage; headers: Record<string, unknown> }[] = []
  const { lines, ...logger } = createRecordingLogger()
  const settler = new Settler({
    queue: 'push.notifications',
    workerName: 'push-worker',
    logger,
    onSettled: (event) => events.push(event),
    forward(publication, copy, lost) {
      forwarded.push({ publication, copy, headers: copy.properties.headers ?? {} })
      return forward(publication, copy, lost)
    },
  })
  return { settler, events, forwarded, lines }
}

function createMessage(attempt = 1, publishedAt = new Date()): ReceivedMessage {
  const { message } = createHeld('m-1')
  return { ...message, attempt, publishedAt, payload: { ...message.payload, body: secret } } as ReceivedMessage
}

interface SettleOptions {
  attempt?: number
  forward?: Forward
  /** The channel is closed before it is settled. */
  isLost?: boolean
}

async function settle(failure?: { thrown: unknown }, { attempt = 1, forward, isLost = false }: SettleOptions = {}) {
  const { settler, ...told } = createSettler(forward)
  const { delivery, done, lose } = createDelivery()
  if (isLost) lose()
  const handled = { handlerMs: 12.4, ...(failure && { failure }) }
  await settler.settle({ delivery, message: createMessage(attempt) }, handled)
  return { ...told, done }
}

describe('a message whose handler is done', () => {
  test('is acknowledged, and nothing is logged', async () => {
    const { events, lines, done, forwarded } = await settle()
    expect(done).toEqual(['ack'])
    expect(forwarded).toEqual([])
    expect(lines).toEqual([])
    expect(events).toEqual([
      {
        queue: 'push.notifications',
        type: 'push.notification',
        outcome: 'acked',
        attempt: 1,
        handlerMs: 12.4,
        sincePublishedMs: expect.any(Number),
      },
    ])
  })

  test('is told with the time since it was published', async () => {
    const { settler, events } = createSettler()
    const message = createMessage(1, new Date(Date.now() - 60_000))
    await settler.settle({ delivery: createDelivery().delivery, message }, { handlerMs: 1 })
    expect(events[0]?.sincePublishedMs).toBeGreaterThanOrEqual(60_000)
    expect(events[0]?.sincePublishedMs).toBeLessThan(70_000)
  })
})

test('a message is told with the time since it was published if its publisher gave an x-published-at', async () => {
  const { settler, events } = createSettler()
  const { delivery } = createDelivery({ headers: { 'x-published-at': '2025-04-01T09:30:00Z' } })
  await settler.settle({ delivery, message: createMessage() }, { handlerMs: 1 })
  expect(events[0]?.sincePublishedMs).toEqual(expect.any(Number))
})

test('a message is told without the time since it was published if its publisher gave none', async () => {
  const { settler, events } = createSettler()
  const { delivery } = createDelivery({ headers: {}, properties: { timestamp: 1_743_499_800 } })
  await settler.settle({ delivery, message: createMessage() }, { handlerMs: 1 })
  expect(events).toHaveLength(1)
  expect(events[0]).not.toHaveProperty('sincePublishedMs')
})

describe('a message whose handler failed', () => {
  const cause = new Error('ECONNREFUSED')

  const failures = [
    {
      what: 'a RetryableError',
      thrown: new RetryableError('no luck', { code: 'PROVIDER_UNAVAILABLE', cause }),
      publication: 'push.notifications.retry.10s',
      event: { outcome: 'retried', code: 'PROVIDER_UNAVAILABLE' },
      line: { level: 'warn', message: 'Retried', data: { code: 'PROVIDER_UNAVAILABLE', attempts: 1, delay: '10s' } },
    },
    {
      what: 'an unclassified error',
      thrown: new Error('no luck'),
      publication: 'push.notifications.retry.10s',
      event: { outcome: 'retried', code: 'UNCLASSIFIED' },
      line: { level: 'warn', message: 'Retried', data: { code: 'UNCLASSIFIED', attempts: 1, delay: '10s' } },
    },
    {
      what: 'a DeferError',
      thrown: new DeferError('no luck', { code: 'DATABASE_UNAVAILABLE', delayMs: 20_000 }),
      publication: 'push.notifications.retry.60s',
      event: { outcome: 'deferred', code: 'DATABASE_UNAVAILABLE' },
      line: { level: 'debug', message: 'Deferred', data: { code: 'DATABASE_UNAVAILABLE', attempts: 0, delay: '60s' } },
    },
    {
      what: 'a GiveWayError',
      thrown: new GiveWayError('no luck', { resumeAt: '100', hasProgressed: true }),
      publication: 'push.notifications.retry.1s',
      event: { outcome: 'gave-way' },
      line: { level: 'debug', message: 'Gave way to others', data: { attempts: 0, resumeAt: '100', delay: '1s' } },
    },
    {
      what: 'a PermanentError',
      thrown: new PermanentError('no luck', { code: 'PROVIDER_REJECTED' }),
      publication: 'push.notifications.dlq',
      event: { outcome: 'dead-lettered', code: 'PROVIDER_REJECTED' },
      line: { level: 'error', message: 'Dead-lettered', data: { code: 'PROVIDER_REJECTED', attempts: 1 } },
    },
    {
      what: 'a programming error',
      thrown: new TypeError('no luck'),
      publication: 'push.notifications.dlq',
      event: { outcome: 'dead-lettered', code: 'HANDLER_BUG' },
      line: { level: 'error', message: 'Dead-lettered', data: { code: 'HANDLER_BUG', attempts: 1 } },
    },
  ]
  test.each(failures.map((row) => [row.what, row] as const))(
    'with %s is settled with one event and one log line',
    async (_what, row) => {
      const { thrown, publication, event, line } = row
      const { events, lines, done, forwarded } = await settle({ thrown })
      expect(forwarded).toMatchObject([{ publication, headers: { 'x-attempts': line.data.attempts } }])
      expect(done).toEqual(['ack'])
      expect(events).toEqual([
        {
          queue: 'push.notifications',
          type: 'push.notification',
          attempt: 1,
          handlerMs: 12.4,
          sincePublishedMs: expect.any(Number),
          ...event,
        },
      ])
      expect(lines).toMatchObject([line])
      expect(lines[0]?.data).toMatchObject({
        messageId: 'm-1',
        messageType: 'push.notification',
        attempt: 1,
        reason: 'no luck',
        handlerMs: 12,
      })
    },
  )

  test('that nobody has explained is logged with the error, whose stack leads to it; others are not', async () => {
    const bug = new TypeError('oops')
    expect((await settle({ thrown: bug })).lines[0]?.data.err).toBe(bug)
    expect(
      (await settle({ thrown: new PermanentError('no', { code: 'PROVIDER_REJECTED' }) })).lines[0]?.data,
    ).not.toHaveProperty('err')
  })

  test('for the last time is dead-lettered with the code of the failure', async () => {
    const thrown = new RetryableError('no luck', { code: 'PROVIDER_UNAVAILABLE' })
    const { events, lines, forwarded } = await settle({ thrown }, { attempt: 3 })
    expect(forwarded).toMatchObject([
      { publication: 'push.notifications.dlq', headers: { 'x-failure-code': 'PROVIDER_UNAVAILABLE', 'x-attempts': 3 } },
    ])
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'PROVIDER_UNAVAILABLE', attempt: 3 }])
    expect(lines).toMatchObject([{ level: 'error', message: 'Dead-lettered' }])
  })

  test('is not deferred past the TTL of its queue', async () => {
    const { settler, events, forwarded } = createSettler()
    const { delivery } = createDelivery()
    const message = createMessage(1, new Date(Date.now() - 25 * 60 * 60 * 1_000))
    await settler.settle({ delivery, message }, { handlerMs: 1, failure: { thrown: new DeferError('later') } })
    expect(forwarded).toMatchObject([
      { publication: 'push.notifications.dlq', headers: { 'x-failure-code': 'EXPIRED', 'x-attempts': 0 } },
    ])
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'EXPIRED' }])
  })

  test('by throwing undefined is a failure all the same', async () => {
    expect((await settle({ thrown: undefined })).events).toMatchObject([{ outcome: 'retried', code: 'UNCLASSIFIED' }])
  })
})

describe('a delivery that no handler saw', () => {
  test('is dead-lettered with its code, which is no attempt', async () => {
    const { settler, events, forwarded, lines } = createSettler()
    const { delivery, done } = createDelivery({ headers: { 'x-attempts': 1 } })
    await settler.deadLetter(delivery, new InvalidDeliveryError('INVALID_JSON', 'body: expected JSON'))
    expect(forwarded).toMatchObject([
      { publication: 'push.notifications.dlq', headers: { 'x-failure-code': 'INVALID_JSON', 'x-attempts': 1 } },
    ])
    expect(done).toEqual(['ack'])
    expect(events).toEqual([
      { queue: 'push.notifications', outcome: 'dead-lettered', code: 'INVALID_JSON', attempt: 2, handlerMs: 0 },
    ])
    expect(lines).toMatchObject([
      { level: 'error', message: 'Dead-lettered', data: { code: 'INVALID_JSON', reason: 'body: expected JSON' } },
    ])
  })

  test.each([-1e9, 1.5, 'three', Number.NaN, null])(
    'is dead-lettered as the first attempt where x-attempts is %s',
    async (attempts) => {
      const { settler, events, forwarded } = createSettler()
      const { delivery } = createDelivery({ headers: { 'x-attempts': attempts } })
      await settler.deadLetter(delivery, new InvalidDeliveryError('INVALID_HEADERS', 'x-attempts'))
      expect(forwarded).toMatchObject([{ headers: { 'x-attempts': 0 } }])
      expect(events).toMatchObject([{ attempt: 1 }])
    },
  )

  test('keeps the count that its header has as text', async () => {
    const { settler, forwarded } = createSettler()
    const { delivery } = createDelivery({ headers: { 'x-attempts': '2' } })
    await settler.deadLetter(delivery, new InvalidDeliveryError('INVALID_JSON', 'body: expected JSON'))
    expect(forwarded).toMatchObject([{ headers: { 'x-attempts': 2 } }])
  })

  test('is returned to its queue, and nothing is logged', async () => {
    const { settler, events, forwarded, lines } = createSettler()
    const { delivery, done } = createDelivery({ headers: { 'x-attempts': 1 } })
    await settler.return(delivery)
    expect([done, forwarded]).toEqual([['return'], []])
    expect(events).toEqual([{ queue: 'push.notifications', outcome: 'returned', attempt: 2, handlerMs: 0 }])
    expect(lines).toEqual([])
  })
})

describe('a delivery that is forwarded', () => {
  const thrown = new RetryableError('no luck')

  test('is acknowledged, and told, when the copy is confirmed and not before', async () => {
    const { opened, open } = createGate()
    const { settler, events, forwarded, lines } = createSettler(() => opened)
    const { delivery, done } = createDelivery()
    const settling = settler.settle({ delivery, message: createMessage() }, { handlerMs: 1, failure: { thrown } })
    expect(forwarded).toHaveLength(1)
    expect([done, events, lines]).toEqual([[], [], []])
    open()
    await settling
    expect(done).toEqual(['ack'])
    expect(events).toMatchObject([{ outcome: 'retried' }])
  })

  test('is copied rather than sent itself', async () => {
    const { settler, forwarded } = createSettler()
    const { delivery, message } = createDelivery()
    await settler.settle({ delivery, message: createMessage() }, { handlerMs: 1, failure: { thrown } })
    expect(forwarded[0]?.copy).not.toBe(message)
    expect(forwarded[0]?.headers.rascal).toEqual({ originalQueue: 'push.notifications' })
    expect(message.properties.headers).toEqual(published)
  })

  test('carries the time of its message, which the next to receive it counts from', async () => {
    const { settler, forwarded } = createSettler()
    const { delivery } = createDelivery()
    const message = createMessage(1, new Date(Date.now() - 60_000))
    await settler.settle({ delivery, message }, { handlerMs: 1, failure: { thrown } })
    expect(forwarded[0]?.headers['x-published-at']).toBe(message.publishedAt.toISOString())
  })

  test('is rejected if the copy is not confirmed, so that the broker dead-letters it, and told as that', async () => {
    const fault = new Error('No queue took the copy')
    const { done, events, lines } = await settle({ thrown }, { forward: () => Promise.reject(fault) })
    expect(done).toEqual(['reject'])
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'UNCLASSIFIED' }])
    expect(lines).toMatchObject([{ level: 'error', message: 'A delivery could not be settled' }])
    expect(lines[0]?.data).toMatchObject({
      settlement: 'retry',
      outcome: 'dead-lettered',
      reason: 'no luck',
      err: fault,
    })
  })

  test('tells the forwarder when it is lost, and is told as returned then', async () => {
    const { settler, events, lines } = createSettler((_publication, _copy, lost) =>
      untilAborted(new Promise(() => {}), lost),
    )
    const { delivery, done, lose } = createDelivery()
    const settling = settler.settle({ delivery, message: createMessage() }, { handlerMs: 1, failure: { thrown } })
    expect(events).toEqual([])
    lose()
    await settling
    expect(done).toEqual([])
    expect(events).toMatchObject([{ outcome: 'returned', code: 'UNCLASSIFIED' }])
    expect(lines).toMatchObject([{ level: 'warn', data: { settlement: 'retry', outcome: 'returned' } }])
  })

  test('is told as returned if it is lost when the copy is confirmed, because the broker delivers it again', async () => {
    const { delivery, done, lose } = createDelivery()
    const { settler, events } = createSettler(async () => lose())
    await settler.settle({ delivery, message: createMessage() }, { handlerMs: 1, failure: { thrown } })
    expect(done).toEqual([])
    expect(events).toMatchObject([{ outcome: 'returned' }])
  })
})

describe('each delivery', () => {
  test('is settled and told once, also when it is returned while its handler goes on', async () => {
    const { settler, events, forwarded, lines } = createSettler()
    const { delivery, done } = createDelivery()
    await settler.return(delivery)
    await settler.settle(
      { delivery, message: createMessage() },
      { handlerMs: 1, failure: { thrown: new Error('late') } },
    )
    await settler.settle({ delivery, message: createMessage() }, { handlerMs: 1 })
    await settler.deadLetter(delivery, new InvalidDeliveryError('INVALID_JSON', 'body'))
    await settler.defer(delivery, new DeferError('later'))
    await settler.return(delivery)
    expect([done, forwarded]).toEqual([['return'], []])
    expect(events).toMatchObject([{ outcome: 'returned' }])
    expect(lines).toEqual([])
  })

  test('is settled once, also when it is returned while its copy is being sent', async () => {
    const { opened, open } = createGate()
    const { settler, events } = createSettler(() => opened)
    const { delivery, done } = createDelivery()
    const settling = settler.deadLetter(delivery, new InvalidDeliveryError('INVALID_JSON', 'body'))
    await settler.return(delivery)
    expect([done, events]).toEqual([[], []])
    open()
    await settling
    expect(done).toEqual(['ack'])
    expect(events).toMatchObject([{ outcome: 'dead-lettered' }])
  })

  test.each([
    ['acknowledge', undefined],
    ['retry', { thrown: new RetryableError('no luck') }],
    ['dead-letter', { thrown: new PermanentError('no luck') }],
  ])('to %s that is lost is told as returned, because the broker delivers it again', async (_what, failure) => {
    const forward: Forward = async (_publication, _copy, lost) => lost.throwIfAborted()
    const { done, events } = await settle(failure, { forward, isLost: true })
    expect(done).toEqual([])
    expect(events).toMatchObject([{ outcome: 'returned' }])
  })

  test('to return that is lost is told as returned, once, and nothing is logged', async () => {
    const { settler, events, lines } = createSettler()
    const { delivery, done, lose } = createDelivery()
    lose()
    await settler.return(delivery)
    await settler.return(delivery)
    expect(done).toEqual([])
    expect(events).toEqual([{ queue: 'push.notifications', outcome: 'returned', attempt: 1, handlerMs: 0 }])
    expect(lines).toEqual([])
  })

  test('that is lost is not logged as what it has not become, and with the error of its copy', async () => {
    const thrown = new PermanentError('no luck', { code: 'PROVIDER_REJECTED' })
    const fault = new Error('read ECONNRESET')
    const { lines } = await settle({ thrown }, { forward: () => Promise.reject(fault), isLost: true })
    expect(lines).toMatchObject([{ level: 'warn', message: 'A delivery could not be settled' }])
    expect(lines[0]?.data.err).toBe(fault)
    expect(lines[0]?.data).toMatchObject({ settlement: 'dead-letter', outcome: 'returned', code: 'PROVIDER_REJECTED' })
  })

  /** Between the goodbye of a channel and its answer, amqplib takes nothing; the delivery is not lost yet. */
  describe.each(['ack', 'return', 'reject'] as const)('that a closing channel does not %s', (step) => {
    test('is told as returned, because the broker delivers it again', async () => {
      const { settler, events, lines } = createSettler(() => Promise.reject(new Error('The consumer was closed.')))
      const { delivery } = createDelivery()
      const fault = new Error('Channel closing')
      vi.spyOn(delivery, step).mockImplementation(() => {
        throw fault
      })
      if (step === 'ack') await settler.settle({ delivery, message: createMessage() }, { handlerMs: 1 })
      else if (step === 'return') await settler.return(delivery)
      else await settler.deadLetter(delivery, new InvalidDeliveryError('INVALID_JSON', 'body'))
      expect(events).toMatchObject([{ outcome: 'returned' }])
      expect(lines).toMatchObject([{ level: 'warn', data: { outcome: 'returned' } }])
    })
  })

  test('leaves nothing of its body in the log', async () => {
    for (const thrown of [new RetryableError('a'), new DeferError('b'), new PermanentError('c'), new TypeError('d')]) {
      const { lines } = await settle({ thrown })
      expect(lines).toHaveLength(1)
      expect(JSON.stringify(lines)).not.toContain(secret)
    }
  })
})

describe('a delivery that is deferred unread', () => {
  const reason = new DeferError('smtp cannot be used', { code: 'PROVIDER_UNAVAILABLE' })

  test('is deferred with the count of its headers', async () => {
    const { settler, events, forwarded } = createSettler()
    const { delivery, done } = createDelivery({ headers: { 'x-attempts': 2 }, properties: {} })
    await settler.defer(delivery, reason)
    expect(forwarded).toMatchObject([{ publication: 'push.notifications.retry.10s', headers: { 'x-attempts': 2 } }])
    expect(done).toEqual(['ack'])
    expect(events).toMatchObject([{ outcome: 'deferred', code: 'PROVIDER_UNAVAILABLE', attempt: 3, handlerMs: 0 }])
  })

  test('is dead-lettered when its headers cannot be trusted', async () => {
    const { settler, events } = createSettler()
    const { delivery } = createDelivery({ headers: { 'x-attempts': -1 } })
    await settler.defer(delivery, reason)
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'INVALID_HEADERS' }])
  })

  test('is dead-lettered when it is too old', async () => {
    const { settler, events } = createSettler()
    const { delivery } = createDelivery({ headers: { 'x-published-at': '2020-01-01T00:00:00Z' } })
    await settler.defer(delivery, reason)
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'EXPIRED' }])
  })
})

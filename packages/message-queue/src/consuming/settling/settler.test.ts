import { createRecordingLogger } from '@mono/test-support'
import { describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../test/support/create-consume-message.js'
import { createHeld } from '../../test/support/create-held.js'
import type { Settlement } from './decide-settlement.js'
import type { Delivery } from './delivery.js'
import { DeferError, PermanentError, RetryableError } from './handler-errors.js'
import type { Held } from './intake.js'
import { InvalidDeliveryError } from './invalid-delivery-error.js'
import type { SettledEvent } from './settled-event.js'
import { Settler } from './settler.js'

const secret = 'hunter2'

interface DeliveryParts {
  headers?: Record<string, unknown>
  properties?: Record<string, unknown>
  fault?: Error
}

/** A delivery that notes how it is settled; the first settlement counts. */
function createDelivery({ headers = {}, properties = { timestamp: 1 }, fault }: DeliveryParts = {}) {
  const settlements: Settlement[] = []
  const delivery = {
    queue: 'chat.messages',
    message: createConsumeMessage({ body: { content: secret }, properties }),
    headers,
    firstSeen: new Date(),
    async settle(settlement: Settlement) {
      settlements.push(settlement)
      if (fault) throw fault
      return settlements.length === 1
    },
  }
  return { delivery: delivery as unknown as Delivery, settlements }
}

function createSettler({ registered = true } = {}) {
  const events: SettledEvent[] = []
  const { lines, ...logger } = createRecordingLogger()
  const settler = new Settler({
    queue: 'chat.messages',
    workerName: 'chat-worker',
    logger,
    onSettled: (event) => events.push(event),
    hasChannel: () => registered,
  })
  return { settler, events, lines }
}

function createMessage(attempt = 1, publishedAt = new Date()): Held<'chat.messages'>['message'] {
  const { message } = createHeld('m-1')
  return { ...message, attempt, publishedAt, payload: { ...message.payload, content: secret } }
}

async function settle(
  failure?: { thrown: unknown },
  { attempt = 1, fault, registered = true }: { attempt?: number; fault?: Error; registered?: boolean } = {},
) {
  const { settler, events, lines } = createSettler({ registered })
  const { delivery, settlements } = createDelivery(fault && { fault })
  const handled = { handlerMs: 12.4, ...(failure && { failure }) }
  await settler.settle({ delivery, message: createMessage(attempt) }, handled)
  return { events, lines, settlements }
}

describe('a message whose handler is done', () => {
  test('is acknowledged, and nothing is logged', async () => {
    const { events, lines, settlements } = await settle()
    expect(settlements).toEqual([{ kind: 'ack' }])
    expect(lines).toEqual([])
    expect(events).toEqual([
      {
        queue: 'chat.messages',
        type: 'chat.message',
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

test.each<[string, DeliveryParts]>([
  ['an x-published-at', { headers: { 'x-published-at': '2025-04-01T09:30:00Z' }, properties: {} }],
  ['a timestamp', { properties: { timestamp: 1_743_499_800 } }],
])('a message is told with the time since it was published if its publisher gave %s', async (_what, parts) => {
  const { settler, events } = createSettler()
  await settler.settle({ delivery: createDelivery(parts).delivery, message: createMessage() }, { handlerMs: 1 })
  expect(events[0]?.sincePublishedMs).toEqual(expect.any(Number))
})

test('a message is told without the time since it was published if its publisher gave none', async () => {
  const { settler, events } = createSettler()
  const { delivery } = createDelivery({ properties: {} })
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
      event: { outcome: 'retried', code: 'PROVIDER_UNAVAILABLE' },
      line: { level: 'warn', message: 'Retried', data: { code: 'PROVIDER_UNAVAILABLE', attempts: 1, delay: '1s' } },
    },
    {
      what: 'an unclassified error',
      thrown: new Error('no luck'),
      event: { outcome: 'retried', code: 'UNCLASSIFIED' },
      line: { level: 'warn', message: 'Retried', data: { code: 'UNCLASSIFIED', attempts: 1, delay: '1s' } },
    },
    {
      what: 'a DeferError',
      thrown: new DeferError('no luck', { code: 'DATABASE_UNAVAILABLE', delayMs: 2_000 }),
      event: { outcome: 'deferred', code: 'DATABASE_UNAVAILABLE' },
      line: { level: 'debug', message: 'Deferred', data: { code: 'DATABASE_UNAVAILABLE', attempts: 0, delay: '5s' } },
    },
    {
      what: 'a PermanentError',
      thrown: new PermanentError('no luck', { code: 'PROVIDER_REJECTED' }),
      event: { outcome: 'dead-lettered', code: 'PROVIDER_REJECTED' },
      line: { level: 'error', message: 'Dead-lettered', data: { code: 'PROVIDER_REJECTED', attempts: 1 } },
    },
    {
      what: 'a programming error',
      thrown: new TypeError('no luck'),
      event: { outcome: 'dead-lettered', code: 'HANDLER_BUG' },
      line: { level: 'error', message: 'Dead-lettered', data: { code: 'HANDLER_BUG', attempts: 1 } },
    },
  ]
  test.each(failures.map((row) => [row.what, row] as const))(
    'with %s is settled with one event and one log line',
    async (_what, row) => {
      const { thrown, event, line } = row
      const { events, lines, settlements } = await settle({ thrown })
      expect(settlements).toHaveLength(1)
      expect(events).toEqual([
        {
          queue: 'chat.messages',
          type: 'chat.message',
          attempt: 1,
          handlerMs: 12.4,
          sincePublishedMs: expect.any(Number),
          ...event,
        },
      ])
      expect(lines).toMatchObject([line])
      expect(lines[0]?.data).toMatchObject({
        messageId: 'm-1',
        messageType: 'chat.message',
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
    const { events, lines, settlements } = await settle({ thrown }, { attempt: 3 })
    expect(settlements).toMatchObject([{ kind: 'dead-letter', code: 'PROVIDER_UNAVAILABLE', attempts: 3 }])
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'PROVIDER_UNAVAILABLE', attempt: 3 }])
    expect(lines).toMatchObject([{ level: 'error', message: 'Dead-lettered' }])
  })

  test('is not deferred past the TTL of its queue', async () => {
    const { settler, events } = createSettler()
    const { delivery, settlements } = createDelivery()
    const message = createMessage(1, new Date(Date.now() - 25 * 60 * 60 * 1_000))
    await settler.settle({ delivery, message }, { handlerMs: 1, failure: { thrown: new DeferError('later') } })
    expect(settlements).toMatchObject([{ kind: 'dead-letter', code: 'EXPIRED', attempts: 0 }])
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'EXPIRED' }])
  })

  test('by throwing undefined is a failure all the same', async () => {
    expect((await settle({ thrown: undefined })).events).toMatchObject([{ outcome: 'retried', code: 'UNCLASSIFIED' }])
  })
})

describe('a delivery that no handler saw', () => {
  test('is refused with its code, which is no attempt', async () => {
    const { settler, events, lines } = createSettler()
    const { delivery, settlements } = createDelivery({ headers: { 'x-attempts': 1 } })
    await settler.refuse(delivery, new InvalidDeliveryError('INVALID_JSON', 'body: expected JSON'))
    expect(settlements).toMatchObject([{ kind: 'dead-letter', code: 'INVALID_JSON', attempts: 1 }])
    expect(events).toEqual([
      { queue: 'chat.messages', outcome: 'dead-lettered', code: 'INVALID_JSON', attempt: 2, handlerMs: 0 },
    ])
    expect(lines).toMatchObject([
      { level: 'error', message: 'Dead-lettered', data: { code: 'INVALID_JSON', reason: 'body: expected JSON' } },
    ])
  })

  test.each([-1e9, 1.5, '3', Number.NaN, null])(
    'is refused as the first attempt where x-attempts is %s',
    async (attempts) => {
      const { settler, events } = createSettler()
      const { delivery, settlements } = createDelivery({ headers: { 'x-attempts': attempts } })
      await settler.refuse(delivery, new InvalidDeliveryError('INVALID_HEADERS', 'x-attempts'))
      expect(settlements).toMatchObject([{ attempts: 0 }])
      expect(events).toMatchObject([{ attempt: 1 }])
    },
  )

  test('is handed back to its queue, and nothing is logged', async () => {
    const { settler, events, lines } = createSettler()
    const { delivery, settlements } = createDelivery({ headers: { 'x-attempts': 1 } })
    await settler.return(delivery)
    expect(settlements).toEqual([{ kind: 'return' }])
    expect(events).toEqual([{ queue: 'chat.messages', outcome: 'returned', attempt: 2, handlerMs: 0 }])
    expect(lines).toEqual([])
  })
})

describe('each delivery', () => {
  test('is told once, also when it is handed back while its handler goes on', async () => {
    const { settler, events, lines } = createSettler()
    const { delivery } = createDelivery()
    await settler.return(delivery)
    await settler.settle(
      { delivery, message: createMessage() },
      { handlerMs: 1, failure: { thrown: new Error('late') } },
    )
    await settler.refuse(delivery, new InvalidDeliveryError('INVALID_JSON', 'body'))
    expect(events).toMatchObject([{ outcome: 'returned' }])
    expect(lines).toEqual([])
  })

  test.each([
    ['acknowledge', undefined],
    ['retry', { thrown: new RetryableError('no luck') }],
    ['give up', { thrown: new PermanentError('no luck') }],
  ])(
    'to %s whose channel is gone is told as returned, because the broker delivers it again',
    async (_what, failure) => {
      const fault = new Error('The channel has been closed. Unable to ack message')
      const { events } = await settle(failure, { fault, registered: false })
      expect(events).toMatchObject([{ outcome: 'returned' }])
    },
  )

  test('whose copy was not confirmed is told as dead-lettered, because rascal rejects it', async () => {
    const fault = new Error('Timedout after 300000ms waiting for broker to confirm publication')
    const { events, lines } = await settle({ thrown: new RetryableError('no luck') }, { fault })
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'UNCLASSIFIED' }])
    expect(lines).toMatchObject([{ level: 'error', message: 'A delivery could not be settled' }])
    expect(lines[0]?.data).toMatchObject({
      settlement: 'retry',
      outcome: 'dead-lettered',
      reason: 'no luck',
      err: fault,
    })
  })

  test('whose channel is gone is not logged as what it has not become', async () => {
    const fault = new Error('The channel has been closed. Unable to nack message')
    const { lines } = await settle(
      { thrown: new PermanentError('no luck', { code: 'PROVIDER_REJECTED' }) },
      { fault, registered: false },
    )
    expect(lines).toMatchObject([{ level: 'warn', message: 'A delivery could not be settled' }])
    expect(lines[0]?.data).toMatchObject({ settlement: 'dead-letter', outcome: 'returned', code: 'PROVIDER_REJECTED' })
  })

  test('to acknowledge is never told as dead-lettered', async () => {
    const { events, lines } = await settle(undefined, {
      fault: new Error('Channel ended, no reply will be forthcoming'),
    })
    expect(events).toMatchObject([{ outcome: 'returned' }])
    expect(lines).toMatchObject([{ level: 'warn', data: { settlement: 'ack', outcome: 'returned' } }])
  })

  test('leaves nothing of its body in the log', async () => {
    for (const thrown of [new RetryableError('a'), new DeferError('b'), new PermanentError('c'), new TypeError('d')]) {
      const { lines } = await settle({ thrown })
      expect(lines).toHaveLength(1)
      expect(JSON.stringify(lines)).not.toContain(secret)
    }
  })
})

test('the settler waits until a delivery is settled before it tells of it', async () => {
  const { settler, events } = createSettler()
  let confirm: (settled: boolean) => void = () => {}
  const { delivery } = createDelivery()
  const confirmed = new Promise<boolean>((resolve) => {
    confirm = resolve
  })
  vi.spyOn(delivery, 'settle').mockReturnValue(confirmed)
  const settling = settler.settle({ delivery, message: createMessage() }, { handlerMs: 1 })
  expect(events).toEqual([])
  confirm(true)
  await settling
  expect(events).toHaveLength(1)
})

describe('a delivery that is put off unread', () => {
  const reason = new DeferError('smtp cannot be used', { code: 'PROVIDER_UNAVAILABLE' })

  test('is deferred with the count of its headers', async () => {
    const { settler, events } = createSettler()
    const { delivery, settlements } = createDelivery({ headers: { 'x-attempts': 2 }, properties: {} })
    await settler.putOff(delivery, reason)
    expect(settlements).toMatchObject([{ kind: 'defer', code: 'PROVIDER_UNAVAILABLE', attempts: 2 }])
    expect(events).toMatchObject([{ outcome: 'deferred', code: 'PROVIDER_UNAVAILABLE', attempt: 3, handlerMs: 0 }])
  })

  test('is dead-lettered when its headers cannot be trusted', async () => {
    const { settler, events } = createSettler()
    const { delivery } = createDelivery({ headers: { 'x-attempts': -1 } })
    await settler.putOff(delivery, reason)
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'INVALID_HEADERS' }])
  })

  test('is dead-lettered when it is too old', async () => {
    const { settler, events } = createSettler()
    const { delivery } = createDelivery({ headers: { 'x-published-at': '2020-01-01T00:00:00Z' } })
    await settler.putOff(delivery, reason)
    expect(events).toMatchObject([{ outcome: 'dead-lettered', code: 'EXPIRED' }])
  })
})

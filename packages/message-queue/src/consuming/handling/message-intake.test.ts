import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createHeld } from '../../../test/support/create-held.js'
import { settle } from '../../../test/support/fake-broker.js'
import type { MessageHandler } from '../reading/received-message.js'
import type { Handled, Held } from './intake.js'
import { MessageIntake } from './message-intake.js'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function createIntake(handler: MessageHandler) {
  const logger = createRecordingLogger()
  const closing = new AbortController()
  const reports: [Held, Handled][] = []
  const intake = new MessageIntake(handler, logger, {
    handlerTimeoutMs: 1_000,
    signal: closing.signal,
    othersMayWait: () => true,
    onHandled: (held, handled) => reports.push([held, handled]),
  })
  return { intake, reports, closing, lines: logger.lines }
}

describe('MessageIntake', () => {
  test('hands a message to the handler at once and reports it when the handler is done', async () => {
    const handler = vi.fn(async () => {
      await new Promise((resolve) => setTimeout(resolve, 300))
    })
    const { intake, reports } = createIntake(handler)
    const held = createHeld('m-1')
    intake.take(held)
    expect(handler).toHaveBeenCalledExactlyOnceWith(held.message, expect.anything())
    await vi.advanceTimersByTimeAsync(299)
    expect(reports).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(reports).toEqual([[held, { handlerMs: 300 }]])
  })

  test('tells the handler whether others may wait', async () => {
    const handler = vi.fn(async () => {})
    createIntake(handler).intake.take(createHeld('m-1'))
    const [, context] = handler.mock.calls[0] as unknown as Parameters<MessageHandler>
    expect(context.othersMayWait()).toBe(true)
  })

  test('has several messages in flight at a time', async () => {
    const handler = vi.fn(() => new Promise<void>(() => {}))
    const { intake } = createIntake(handler)
    intake.take(createHeld('m-1'))
    intake.take(createHeld('m-2'))
    expect(handler).toHaveBeenCalledTimes(2)
  })

  test.each([
    ['an Error', new Error('no luck')],
    ['undefined', undefined],
  ])('reports a handler that throws %s as failed', async (_what, thrown) => {
    const { intake, reports } = createIntake(() => Promise.reject(thrown))
    const held = createHeld('m-1')
    intake.take(held)
    await vi.runAllTimersAsync()
    expect(reports).toEqual([[held, { handlerMs: 0, failure: { thrown } }]])
  })

  test('reports a handler that throws before it returns a promise as failed', async () => {
    const { intake, reports } = createIntake(() => {
      throw new TypeError('oops')
    })
    intake.take(createHeld('m-1'))
    await vi.runAllTimersAsync()
    expect(reports[0]?.[1].failure).toEqual({ thrown: new TypeError('oops') })
  })

  test('reports a handler whose time is up once, whatever it comes to later', async () => {
    const { intake, reports } = createIntake(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5_000))
    })
    intake.take(createHeld('m-1'))
    await vi.advanceTimersByTimeAsync(1_000)
    await settle()
    await vi.advanceTimersByTimeAsync(9_000)
    expect(reports).toHaveLength(1)
    expect(reports[0]?.[1]).toMatchObject({ handlerMs: 1_000, failure: { thrown: { code: 'HANDLER_TIMEOUT' } } })
  })

  test('gives the handler a signal that is aborted when the consumer is closed', async () => {
    const signals: AbortSignal[] = []
    const { intake, closing } = createIntake((_message, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    intake.take(createHeld('m-1'))
    expect(signals[0]?.aborted).toBe(false)
    closing.abort()
    expect(signals[0]?.aborted).toBe(true)
  })

  test('gives the handler a logger that carries the ids of the message and nothing of its body', async () => {
    const { intake, lines } = createIntake(async (_message, { logger }) => logger.info({ step: 1 }, 'working'))
    intake.take(createHeld('m-1'))
    await vi.runAllTimersAsync()
    const ids = { messageId: 'm-1', messageType: 'push.notification', tenantId: 42, attempt: 1 }
    expect(lines).toEqual([{ level: 'info', data: { ...ids, step: 1 }, message: 'working' }])
  })

  test('holds nothing back, so that there is nothing to flush or to discard', async () => {
    const { intake, reports } = createIntake(async () => {})
    intake.take(createHeld('m-1'))
    intake.flush()
    intake.discard()
    await vi.runAllTimersAsync()
    expect(reports).toHaveLength(1)
  })
})

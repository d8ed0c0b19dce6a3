import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createHeld } from '../../../test/support/create-held.js'
import { settle } from '../../../test/support/fake-broker.js'
import type { BatchHandler, ReceivedMessage } from '../reading/received-message.js'
import { BatchIntake } from './batch-intake.js'
import type { Handled } from './intake.js'

type Message = ReceivedMessage

const batchSize = { size: 3, maxWaitMs: 200 }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

function createIntake(handle: BatchHandler = async () => {}) {
  const closing = new AbortController()
  const reports = new Map<string, Handled[]>()
  const batches: string[][] = []
  const handler: BatchHandler = (messages, context) => {
    batches.push(messages.map(({ messageId }) => messageId))
    return handle(messages, context)
  }
  const intake = new BatchIntake(handler, createRecordingLogger(), batchSize, {
    handlerTimeoutMs: 1_000,
    signal: closing.signal,
    othersMayWait: () => false,
    onHandled: ({ message: { messageId } }, handled) =>
      reports.set(messageId, [...(reports.get(messageId) ?? []), handled]),
  })
  const take = (...messageIds: string[]) => {
    for (const messageId of messageIds) intake.take(createHeld(messageId))
  }
  return { intake, take, batches, reports, closing }
}

describe('BatchIntake', () => {
  test('starts a batch that is full by its bytes', () => {
    const { intake, batches } = createIntake()
    intake.take(createHeld('a', { bytes: 2_500_000 }))
    expect(batches).toEqual([])
    intake.take(createHeld('b', { bytes: 2_500_000 }))
    expect(batches).toEqual([['a', 'b']])
    intake.take(createHeld('c', { bytes: 2_500_000 }))
    expect(batches).toEqual([['a', 'b']])
  })

  test('starts a batch when it is full, without waiting, and leaves no timer', () => {
    const { take, batches } = createIntake()
    take('a', 'b')
    expect(batches).toEqual([])
    take('c')
    expect(batches).toEqual([['a', 'b', 'c']])
    take('d', 'e', 'f')
    expect(batches).toEqual([
      ['a', 'b', 'c'],
      ['d', 'e', 'f'],
    ])
  })

  test('starts a smaller batch when its first message has waited long enough', () => {
    const { take, batches } = createIntake()
    take('a')
    vi.advanceTimersByTime(150)
    take('b')
    vi.advanceTimersByTime(49)
    expect(batches).toEqual([])
    vi.advanceTimersByTime(1)
    expect(batches).toEqual([['a', 'b']])
    vi.advanceTimersByTime(1_000)
    expect(batches).toHaveLength(1)
  })

  test('counts the wait of each batch from its own first message', () => {
    const { take, batches } = createIntake()
    take('a', 'b')
    vi.advanceTimersByTime(150)
    take('c', 'd')
    expect(batches).toEqual([['a', 'b', 'c']])
    vi.advanceTimersByTime(199)
    expect(batches).toHaveLength(1)
    vi.advanceTimersByTime(1)
    expect(batches[1]).toEqual(['d'])
  })

  test('starts at once what waits when it is flushed, and leaves no timer', async () => {
    const { intake, take, batches } = createIntake()
    take('a')
    intake.flush()
    expect(batches).toEqual([['a']])
    await vi.advanceTimersByTimeAsync(0)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('calls no handler for nothing', () => {
    const { intake, batches } = createIntake()
    intake.flush()
    expect(batches).toEqual([])
  })

  test('hands over nothing of what it discards, reports nothing of it, and leaves no timer', async () => {
    const { intake, take, batches, reports } = createIntake()
    take('a', 'b')
    intake.discard()
    expect(vi.getTimerCount()).toBe(0)
    await vi.runAllTimersAsync()
    intake.flush()
    expect(batches).toEqual([])
    expect(reports.size).toBe(0)
  })

  test('fills the next batch while one is being handled', () => {
    const { take, batches } = createIntake(() => new Promise(() => {}))
    take('a', 'b', 'c', 'd', 'e', 'f')
    expect(batches).toHaveLength(2)
  })

  test('reports each message of a batch once, with the time that the batch took', async () => {
    const { take, reports } = createIntake(async () => {
      await new Promise((resolve) => setTimeout(resolve, 300))
    })
    take('a', 'b', 'c')
    await vi.runAllTimersAsync()
    expect(Object.fromEntries(reports)).toEqual({
      a: [{ handlerMs: 300 }],
      b: [{ handlerMs: 300 }],
      c: [{ handlerMs: 300 }],
    })
  })

  test.each([
    ['rejects', (error: Error) => Promise.reject(error)],
    [
      'throws',
      (error: Error) => {
        throw error
      },
    ],
  ])('fails every message of a batch whose handler %s', async (_how, handle) => {
    const thrown = new Error('no luck')
    const { take, reports } = createIntake(() => handle(thrown))
    take('a', 'b', 'c')
    await vi.runAllTimersAsync()
    const failed = [{ handlerMs: 0, failure: { thrown, isShared: true } }]
    expect(Object.fromEntries(reports)).toEqual({ a: failed, b: failed, c: failed })
  })

  test('fails only the messages of the map that the handler returns', async () => {
    const thrown = new Error('no luck')
    const { take, reports } = createIntake(async (messages) => new Map([[messages[1] as Message, thrown]]))
    take('a', 'b', 'c')
    await vi.runAllTimersAsync()
    expect(Object.fromEntries(reports)).toEqual({
      a: [{ handlerMs: 0 }],
      b: [{ handlerMs: 0, failure: { thrown, isShared: false } }],
      c: [{ handlerMs: 0 }],
    })
  })

  test('fails a message that the map holds without a reason', async () => {
    const { take, reports } = createIntake(async (messages) => new Map([[messages[0] as Message, undefined]]))
    take('a', 'b', 'c')
    await vi.runAllTimersAsync()
    expect(reports.get('a')).toEqual([{ handlerMs: 0, failure: { thrown: undefined, isShared: false } }])
    expect(reports.get('b')).toEqual([{ handlerMs: 0 }])
  })

  test.each([
    ['another copy of a message', (messages: readonly Message[]) => new Map([[{ ...messages[0] }, new Error('no')]])],
    ['an id', () => new Map([['a', new Error('no')]])],
    ['what is no map', () => ({ a: new Error('no') })],
  ])(
    'takes failures under %s for a bug: otherwise the message that failed would be acknowledged',
    async (_what, fail) => {
      const { take, reports } = createIntake(async (messages) => fail(messages) as never)
      take('a', 'b', 'c')
      await vi.runAllTimersAsync()
      expect(reports.size).toBe(3)
      for (const [handled] of reports.values()) expect(handled?.failure?.thrown).toBeInstanceOf(TypeError)
    },
  )

  test('fails every message of a batch whose time is up', async () => {
    const { take, reports } = createIntake(() => new Promise(() => {}))
    take('a', 'b', 'c')
    await vi.runAllTimersAsync()
    await settle()
    for (const handled of reports.values()) {
      expect(handled).toMatchObject([{ handlerMs: 1_000, failure: { thrown: { code: 'HANDLER_TIMEOUT' } } }])
    }
    expect(reports.size).toBe(3)
  })

  test('gives the handler a signal that is aborted when the consumer is closed', () => {
    const signals: AbortSignal[] = []
    const { take, closing } = createIntake((_messages, { signal }) => {
      signals.push(signal)
      return new Promise(() => {})
    })
    take('a', 'b', 'c')
    closing.abort()
    expect(signals[0]?.aborted).toBe(true)
  })
})

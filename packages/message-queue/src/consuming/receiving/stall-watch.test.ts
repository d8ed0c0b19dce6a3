import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createGate } from '../../../test/support/create-gate.js'
import { watchForStall } from './stall-watch.js'

const intervalMs = 6_000

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A consumer that is registered and idle, while a message waits in its queue. */
function watch({ waiting = 1 as number | Error, isIdle = true, isSettled = true } = {}) {
  const { lines, ...logger } = createRecordingLogger()
  const state = {
    waiting,
    isIdle,
    isSettled,
    delivered: 0,
    attempts: 0,
    counts: 0,
    stalls: 0,
    answer: Promise.resolve(),
  }
  const stuck: string[] = []
  const stallWatch = watchForStall({
    intervalMs,
    logger,
    isIdle: () => state.isIdle,
    countDelivered: () => state.delivered,
    async countWaiting() {
      state.counts += 1
      await state.answer
      if (state.waiting instanceof Error) throw state.waiting
      return state.waiting
    },
    isSettled: () => state.isSettled,
    countAttempts: () => state.attempts,
    onStalled: () => {
      state.stalls += 1
    },
    onStuck: (error) => stuck.push(error.message),
  })
  /** @returns how often it has stalled and how often it was stuck, so far */
  const look = async (times: number): Promise<[stalls: number, stuck: number]> => {
    await vi.advanceTimersByTimeAsync(times * intervalMs)
    return [state.stalls, stuck.length]
  }
  return { state, look, stuck, lines, stallWatch }
}

describe('a consumer is stalled', () => {
  test('when messages wait at two looks and none came between them', async () => {
    const { look, lines } = watch()
    expect(await look(1)).toEqual([0, 0])
    expect(await look(1)).toEqual([1, 0])
    expect(lines).toMatchObject([{ level: 'warn', data: { waiting: 1 } }])
  })

  test('again when registering has not helped', async () => {
    expect(await watch().look(4)).toEqual([2, 0])
  })
})

describe('a consumer is not stalled', () => {
  test('when nothing waits', async () => {
    expect(await watch({ waiting: 0 }).look(3)).toEqual([0, 0])
  })

  test('while it has something in flight, or is not registered', async () => {
    const { look, state } = watch({ isIdle: false })
    expect(await look(3)).toEqual([0, 0])
    expect(state.counts).toBe(0)
  })

  test('when something was delivered between the looks', async () => {
    const { state, look } = watch()
    await look(1)
    state.delivered += 1
    expect(await look(1)).toEqual([0, 0])
    expect(await look(1)).toEqual([0, 0])
    expect(await look(1)).toEqual([1, 0])
  })

  test('when something was delivered while the messages were counted', async () => {
    const { state, look } = watch()
    await look(1)
    const { opened, open } = createGate()
    state.answer = opened
    await look(1)
    state.delivered += 1
    open()
    await vi.advanceTimersByTimeAsync(0)
    expect(state.stalls).toBe(0)
  })

  test('when the messages cannot be counted', async () => {
    const { state, look } = watch()
    await look(1)
    state.waiting = new Error('The channel is closed')
    expect(await look(1)).toEqual([0, 0])
    state.waiting = 1
    expect(await look(1)).toEqual([0, 0])
  })
})

describe('a consumer is stuck', () => {
  test('when nothing has been done for it for long enough, though the broker answers', async () => {
    const { state, look, stuck, lines } = watch({ isIdle: false, isSettled: false })
    expect(await look(2)).toEqual([0, 0])
    expect(state.counts).toBe(0)
    expect(await look(1)).toEqual([0, 1])
    expect(stuck).toEqual(['The broker answers, but has not registered the consumer for 12000 ms.'])
    expect(lines).toMatchObject([{ level: 'warn', data: { err: { message: stuck[0] } } }])
  })

  test('also if nothing waits in its queue', async () => {
    expect(await watch({ waiting: 0, isIdle: false, isSettled: false }).look(3)).toEqual([0, 1])
  })

  test('and is not taken for stalled as well', async () => {
    expect(await watch({ isIdle: true, isSettled: false }).look(3)).toEqual([0, 1])
  })
})

describe('a consumer is not stuck', () => {
  test('for a time that a step may take', async () => {
    const { state, look } = watch({ isIdle: false, isSettled: false })
    expect(await look(2)).toEqual([0, 0])
    state.isSettled = true
    expect(await look(4)).toEqual([0, 0])
  })

  test('while steps are begun for it', async () => {
    const { state, look } = watch({ isIdle: false, isSettled: false })
    for (let looks = 0; looks < 6; looks += 1) {
      await look(1)
      state.attempts += 1
    }
    expect(await look(1)).toEqual([0, 0])
  })

  test('until it has been without a step for long enough since the last one', async () => {
    const { state, look } = watch({ isIdle: false, isSettled: false })
    await look(2)
    state.attempts += 1
    expect(await look(3)).toEqual([0, 0])
    expect(await look(1)).toEqual([0, 1])
  })

  test('until it has not been registered for long enough since it was', async () => {
    const { state, look } = watch({ isIdle: false, isSettled: false })
    await look(2)
    state.isSettled = true
    await look(1)
    state.isSettled = false
    expect(await look(2)).toEqual([0, 0])
    expect(await look(1)).toEqual([0, 1])
  })

  test('when the broker does not answer', async () => {
    const { state, look } = watch({ isIdle: false, isSettled: false, waiting: new Error('There is no connection') })
    expect(await look(5)).toEqual([0, 0])
    state.waiting = 1
    expect(await look(1)).toEqual([0, 1])
  })

  test.each([
    ['was registered', { isSettled: true }],
    ['began a step', { attempts: 1 }],
  ])('when it %s while the broker was asked', async (_what, change) => {
    const { state, look } = watch({ isIdle: false, isSettled: false })
    const { opened, open } = createGate()
    state.answer = opened
    await look(3)
    expect(state.counts).toBe(1)
    Object.assign(state, change)
    open()
    expect(await look(1)).toEqual([0, 0])
  })
})

test('one look is enough at a time', async () => {
  const { state, look } = watch()
  state.answer = createGate().opened
  await look(3)
  expect(state.counts).toBe(1)
})

test('nothing is looked at once the watch is stopped, and no timer is left', async () => {
  const { state, look, stallWatch } = watch()
  stallWatch.stop()
  await look(3)
  expect(state.counts).toBe(0)
  expect(vi.getTimerCount()).toBe(0)
})

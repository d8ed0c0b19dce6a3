import type { DeferError, SettledEvent } from '@mono/message-queue'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { recordLogs } from '../test/support/record-logs.js'
import { Breaker } from './breaker.js'
import type { Dependency } from './dependency.js'

const away = new Error('connect ECONNREFUSED')
const deferred: SettledEvent = {
  queue: 'email.notifications',
  outcome: 'deferred',
  code: 'PROVIDER_UNAVAILABLE',
  attempt: 1,
  handlerMs: 3,
}
const acked: SettledEvent = { queue: 'email.notifications', outcome: 'acked', attempt: 1, handlerMs: 3 }

let breaker: Breaker
const probe = vi.fn<() => Promise<void>>()
const onOpen = vi.fn<(reason: DeferError) => void>()
const onTrial = vi.fn()
const usedAt = vi.fn<() => number>()
let inFlight: number
let logs: ReturnType<typeof recordLogs>

function create(options: Pick<Dependency, 'everyMs'> = {}): Breaker {
  const dependency = { name: 'smtp', code: 'PROVIDER_UNAVAILABLE' as const, probe, usedAt, ...options }
  return new Breaker({ dependency, logger: logs.logger, countInFlight: () => inFlight, onOpen, onTrial })
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.resetAllMocks()
  // The longest of each delay that backs off.
  vi.spyOn(Math, 'random').mockReturnValue(1)
  probe.mockResolvedValue()
  usedAt.mockImplementation(() => performance.now())
  inFlight = 0
  logs = recordLogs()
  breaker = create()
})

afterEach(() => {
  breaker.stop()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const settle = (event: SettledEvent, times = 1) => {
  for (let n = 0; n < times; n += 1) breaker.onSettled(event)
}

const open = () => settle(deferred, 5)

/** Opened, and probed once. Whatever is settled from now on may have been begun since. */
async function beginTrial(): Promise<void> {
  open()
  await vi.advanceTimersByTimeAsync(100)
  expect(breaker.status).toEqual({ state: 'trial' })
  await vi.advanceTimersByTimeAsync(deferred.handlerMs)
}

describe('a breaker opens', () => {
  test('at the fifth delivery in a row that has missed the dependency, and says so once', () => {
    settle(deferred, 4)
    expect(breaker.status).toEqual({ state: 'closed' })
    settle(deferred)
    expect(breaker.status).toMatchObject({ state: 'open' })
    settle(deferred, 2)
    expect(onOpen).toHaveBeenCalledOnce()
    expect(onOpen.mock.calls[0]?.[0]).toMatchObject({ name: 'DeferError', code: 'PROVIDER_UNAVAILABLE' })
    expect(logs.records).toMatchObject([
      {
        level: 'warn',
        dependency: 'smtp',
        reason: '5 deliveries were deferred with PROVIDER_UNAVAILABLE',
        msg: 'A dependency cannot be used; nothing is taken until it can',
      },
    ])
  })

  test('at the first probe that fails, if its dependency is probed while it is well', async () => {
    breaker = create({ everyMs: 5000 })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(probe).toHaveBeenCalledTimes(2)
    expect(breaker.status).toEqual({ state: 'closed' })
    probe.mockRejectedValueOnce(away)
    await vi.advanceTimersByTimeAsync(5000)
    expect(breaker.status).toEqual({ state: 'open', error: 'connect ECONNREFUSED' })
    expect(onOpen).toHaveBeenCalledOnce()
  })
})

describe('a breaker stays closed', () => {
  test.each<[string, SettledEvent]>([
    ['a delivery that was done', acked],
    ['one that was done in part', { ...acked, outcome: 'gave-way' }],
    ['one that the dependency has answered', { ...deferred, outcome: 'retried' }],
  ])('when %s comes between', (_what, between) => {
    settle(deferred, 4)
    settle(between)
    settle(deferred, 4)
    expect(breaker.status.state).toBe('closed')
  })

  test.each<[string, SettledEvent]>([
    ['deferred for something else', { ...deferred, code: 'DATABASE_UNAVAILABLE' }],
    ['retried', { ...deferred, outcome: 'retried' }],
    ['dead-lettered', { ...deferred, outcome: 'dead-lettered' }],
    ['deferred before a handler saw them', { ...deferred, handlerMs: 0 }],
  ])('when deliveries are %s', (_what, event) => {
    settle(event, 20)
    expect(breaker.status.state).toBe('closed')
  })
})

describe('an open breaker', () => {
  test('asks until it is answered, and then lets deliveries be tried', async () => {
    probe.mockRejectedValueOnce(away).mockRejectedValueOnce(away)
    open()
    await vi.advanceTimersByTimeAsync(100)
    expect(probe).toHaveBeenCalledTimes(1)
    expect(breaker.status).toEqual({ state: 'open', error: 'connect ECONNREFUSED' })
    await vi.advanceTimersByTimeAsync(200)
    expect(probe).toHaveBeenCalledTimes(2)
    expect(onTrial).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(400)
    expect(onTrial).toHaveBeenCalledOnce()
    expect(breaker.status).toEqual({ state: 'trial' })
    expect(logs.records.map(({ msg }) => msg)).toEqual([
      'A dependency cannot be used; nothing is taken until it can',
      'A dependency answers again; deliveries are taken',
    ])
  })

  test('asks less and less often, but every three seconds', async () => {
    probe.mockRejectedValue(away)
    open()
    for (const delayMs of [100, 200, 400, 800, 1600, 3000, 3000, 3000]) {
      probe.mockClear()
      await vi.advanceTimersByTimeAsync(delayMs - 1)
      expect(probe).not.toHaveBeenCalled()
      await vi.advanceTimersByTimeAsync(1)
      expect(probe).toHaveBeenCalledOnce()
    }
  })

  test('is not closed by a delivery that was under way when it opened', () => {
    open()
    settle(acked)
    expect(breaker.status.state).toBe('open')
  })

  test('asks no more once it is stopped', async () => {
    probe.mockRejectedValue(away)
    open()
    breaker.stop()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(probe).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('a breaker in trial', () => {
  test('is closed by a delivery that was done', async () => {
    await beginTrial()
    settle(acked)
    expect(breaker.status).toEqual({ state: 'closed' })
  })

  test('opens again at the first delivery that misses the dependency, and asks later each time', async () => {
    await beginTrial()
    settle(deferred)
    expect(breaker.status).toEqual({
      state: 'open',
      error: 'it answered, but then a delivery was deferred with PROVIDER_UNAVAILABLE',
    })
    await vi.advanceTimersByTimeAsync(199)
    expect(probe).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(1)
    expect(probe).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(acked.handlerMs)
    settle(acked)
    open()
    await vi.advanceTimersByTimeAsync(100)
    expect(probe).toHaveBeenCalledTimes(3)
  })

  test.each<[string, SettledEvent]>([
    ['was deferred before a handler saw it', { ...deferred, handlerMs: 0 }],
    ['was begun before and missed the dependency', { ...deferred, handlerMs: 50 }],
    ['was begun before and is done', { ...acked, handlerMs: 50 }],
    ['is retried', { ...deferred, outcome: 'retried' }],
    ['is dead-lettered', { ...deferred, outcome: 'dead-lettered', code: 'INVALID_TEMPLATE_DATA' }],
    ['is returned', { ...acked, outcome: 'returned' }],
  ])('learns nothing from a delivery that %s', async (_what, event) => {
    await beginTrial()
    settle(event, 20)
    expect(breaker.status).toEqual({ state: 'trial' })
    expect(onOpen).toHaveBeenCalledOnce()
  })

  test('learns nothing from a delivery that is done without the dependency', async () => {
    await beginTrial()
    const usedBefore = performance.now() - 50
    usedAt.mockReturnValue(usedBefore)
    settle(acked)
    expect(breaker.status).toEqual({ state: 'trial' })
    settle(deferred)
    expect(breaker.status).toMatchObject({ state: 'open' })
  })
})

describe('deliveries that were in flight when the trial began, and whose deferral is confirmed later', () => {
  test('do not open it again, in trial or closed', async () => {
    inFlight = 95
    await beginTrial()
    settle(deferred, 50)
    expect(breaker.status).toEqual({ state: 'trial' })
    settle(acked)
    expect(breaker.status).toEqual({ state: 'closed' })
    settle(deferred, 45)
    expect(breaker.status).toEqual({ state: 'closed' })
    expect(onOpen).toHaveBeenCalledOnce()
  })

  test('hide no delivery that was begun since', async () => {
    inFlight = 3
    await beginTrial()
    settle({ ...acked, handlerMs: 50 })
    settle({ ...deferred, handlerMs: 0 })
    settle(deferred)
    expect(breaker.status).toEqual({ state: 'trial' })
    settle(deferred)
    expect(breaker.status).toMatchObject({ state: 'open' })
  })

  test('are not to be thought of when a delivery is kept in hand, which is told when its handler ends', async () => {
    inFlight = 500
    await beginTrial()
    settle({ ...deferred, isInHand: true })
    expect(breaker.status).toMatchObject({ state: 'open' })
  })
})

describe('probes', () => {
  test('are not made while it is closed, unless the dependency says how often', async () => {
    await vi.advanceTimersByTimeAsync(60_000)
    expect(probe).not.toHaveBeenCalled()
  })

  test('go on in trial, and one that fails opens it again', async () => {
    breaker = create({ everyMs: 5000 })
    await beginTrial()
    probe.mockRejectedValueOnce(away)
    await vi.advanceTimersByTimeAsync(5000)
    expect(breaker.status).toEqual({ state: 'open', error: 'connect ECONNREFUSED' })
  })

  test('are never made two at a time, and one that was made before it opened does not begin a trial', async () => {
    breaker = create({ everyMs: 5000 })
    let answer = () => {}
    probe.mockReturnValueOnce(
      new Promise((resolve) => {
        answer = resolve
      }),
    )
    await vi.advanceTimersByTimeAsync(5000)
    open()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(probe).toHaveBeenCalledOnce()
    answer()
    await vi.advanceTimersByTimeAsync(0)
    expect(breaker.status).toMatchObject({ state: 'open' })
    await vi.advanceTimersByTimeAsync(100)
    expect(probe).toHaveBeenCalledTimes(2)
    expect(breaker.status).toEqual({ state: 'trial' })
  })

  test('end with stop, also when one is under way', async () => {
    breaker = create({ everyMs: 5000 })
    probe.mockImplementationOnce(() => new Promise((_resolve, reject) => setTimeout(reject, 3000, away)))
    await vi.advanceTimersByTimeAsync(5000)
    breaker.stop()
    await vi.advanceTimersByTimeAsync(60_000)
    expect(probe).toHaveBeenCalledOnce()
    expect(onOpen).not.toHaveBeenCalled()
  })
})

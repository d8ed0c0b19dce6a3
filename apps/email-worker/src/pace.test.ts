import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pace, type Turn } from './pace.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const { signal } = new AbortController()

function setUp(options: Partial<ConstructorParameters<typeof Pace>[0]> = {}) {
  const pace = new Pace({ maxConcurrent: 10, ...options })
  const begin = async (count: number) => await Promise.all(Array.from({ length: count }, () => pace.begin(signal)))
  const end = (turns: readonly Turn[], conclude: (turn: Turn) => void) => {
    for (const turn of turns) {
      conclude(turn)
      pace.end()
    }
  }
  const succeed = async (count: number) => {
    for (let index = 0; index < count; index += 1) end(await begin(1), (turn) => pace.succeed(turn))
  }
  return { pace, begin, end, succeed }
}

test('a server that refuses seven of ten connections has three from then on, for a minute', async () => {
  const { pace, begin, end, succeed } = setUp()
  const turns = await begin(10)
  end(turns.slice(3), () => pace.haveFewerConnections())
  expect(pace.concurrency).toBe(3)
  end(turns.slice(0, 3), (turn) => pace.succeed(turn))
  await succeed(200)
  expect(pace.concurrency).toBe(3)
  vi.advanceTimersByTime(60_001)
  await succeed(200)
  expect(pace.concurrency).toBeGreaterThan(3)
})

test('a provider that wants mails more slowly gets half of them, after a pause that doubles', async () => {
  const { pace, begin, end } = setUp()
  end(await begin(10), (turn) => pace.slowDown(turn))
  expect([pace.concurrency, pace.pausedForMs]).toEqual([5, 1000])
  const waiting = begin(5)
  await vi.advanceTimersByTimeAsync(1000)
  end(await waiting, (turn) => pace.slowDown(turn))
  expect([pace.concurrency, pace.pausedForMs]).toEqual([2, 2000])
})

test('the pause is never longer than a minute, unless the server names a longer one', async () => {
  const { pace, begin, end } = setUp()
  for (let times = 0; times < 10; times += 1) {
    const waiting = begin(1)
    await vi.advanceTimersByTimeAsync(60_000)
    end(await waiting, (turn) => pace.slowDown(turn))
  }
  expect([pace.concurrency, pace.pausedForMs]).toEqual([1, 60_000])
  const waiting = begin(1)
  await vi.advanceTimersByTimeAsync(60_000)
  end(await waiting, (turn) => pace.slowDown(turn, 300_000))
  expect(pace.pausedForMs).toBe(300_000)
})

test('success restores one after the other, and the first pause', async () => {
  const { pace, begin, end, succeed } = setUp()
  end(await begin(1), (turn) => pace.slowDown(turn))
  await vi.advanceTimersByTimeAsync(1000)
  await succeed(50)
  expect(pace.concurrency).toBe(6)
  await succeed(60 + 70 + 80 + 90)
  expect(pace.concurrency).toBe(10)
  await succeed(500)
  expect(pace.concurrency).toBe(10)
  end(await begin(1), (turn) => pace.slowDown(turn))
  expect(pace.pausedForMs).toBe(1000)
})

test('no more mails are begun in a minute than are allowed', async () => {
  const { pace, begin } = setUp({ ratePerMinute: 60 })
  let begun = 0
  const all = Promise.all(Array.from({ length: 5 }, () => begin(1).then(() => (begun += 1))))
  await vi.advanceTimersByTimeAsync(0)
  expect(begun).toBe(1)
  await vi.advanceTimersByTimeAsync(2000)
  expect(begun).toBe(3)
  await vi.advanceTimersByTimeAsync(2000)
  await all
  expect(pace.atWork).toBe(5)
})

test('whoever stops waiting for a pause gives the turn to others', async () => {
  const { pace, begin, end } = setUp({ maxConcurrent: 1 })
  end(await begin(1), (turn) => pace.slowDown(turn))
  const leaving = new AbortController()
  const left = pace.begin(leaving.signal)
  const reason = new Error('stopping')
  leaving.abort(reason)
  await expect(left).rejects.toBe(reason)
  expect(pace.atWork).toBe(0)
})

import { expect, test } from 'vitest'
import { createCoalescer } from './coalescer.js'

interface Run {
  requests: readonly number[]
  finish(): void
}

/** Doubles numbers, when the test says so. */
function setUp({ maxSize = 100, bad = Number.NaN }: { maxSize?: number; bad?: number } = {}) {
  const runs: Run[] = []
  const ask = createCoalescer<number, number>({
    run: (requests) =>
      new Promise((resolve, reject) => {
        const answer = () =>
          requests.includes(bad) ? reject(new RangeError('bad')) : resolve(requests.map((number) => number * 2))
        runs.push({ requests, finish: answer })
      }),
    sizeOf: (request) => request,
    maxSize,
    isFaultOfOne: (error) => error instanceof RangeError,
  })
  const turn = () => new Promise((resolve) => setImmediate(resolve))
  return { ask, runs, turn }
}

test('what is asked in one turn goes together, and each gets its own answer', async () => {
  const { ask, runs, turn } = setUp()
  const answers = [ask(1), ask(2), Promise.resolve().then(() => ask(3))]
  await turn()
  expect(runs.map(({ requests }) => requests)).toEqual([[1, 2, 3]])
  runs[0]?.finish()
  expect(await Promise.all(answers)).toEqual([2, 4, 6])
})

test('what is asked during a run waits for its end, and goes together then', async () => {
  const { ask, runs, turn } = setUp()
  const first = ask(1)
  await turn()
  const later = [ask(2), ask(3)]
  await turn()
  expect(runs).toHaveLength(1)
  runs[0]?.finish()
  expect(await first).toBe(2)
  await turn()
  expect(runs.map(({ requests }) => requests)).toEqual([[1], [2, 3]])
  runs[1]?.finish()
  expect(await Promise.all(later)).toEqual([4, 6])
  const last = ask(4)
  await turn()
  runs[2]?.finish()
  expect(await last).toBe(8)
})

test('no more goes together than the limit, and what is larger goes alone', async () => {
  const { ask, runs, turn } = setUp({ maxSize: 10 })
  const answers = [4, 6, 1, 50, 10].map(ask)
  for (const expected of [[4, 6], [1], [50], [10]]) {
    await turn()
    expect(runs.at(-1)?.requests).toEqual(expected)
    runs.at(-1)?.finish()
  }
  expect(await Promise.all(answers)).toEqual([8, 12, 2, 100, 20])
})

test('the fault of one is no fault of the others', async () => {
  const { ask, runs, turn } = setUp({ bad: 2 })
  const answers = Promise.allSettled([1, 2, 3].map(ask))
  await turn()
  runs[0]?.finish()
  await turn()
  expect(runs.map(({ requests }) => requests)).toEqual([[1, 2, 3], [1], [2], [3]])
  for (const run of runs.slice(1)) run.finish()
  expect(await answers).toMatchObject([{ value: 2 }, { reason: expect.any(RangeError) }, { value: 6 }])
})

test('any other error is everybody’s, and the next request is run again', async () => {
  const error = new Error('away')
  let isAway = true
  const ask = createCoalescer<number, number>({
    run: async (requests) => {
      if (isAway) throw error
      return requests
    },
    sizeOf: () => 1,
    maxSize: 10,
    isFaultOfOne: () => false,
  })
  expect(await Promise.allSettled([ask(1), ask(2)])).toMatchObject([{ reason: error }, { reason: error }])
  isAway = false
  expect(await ask(3)).toBe(3)
})

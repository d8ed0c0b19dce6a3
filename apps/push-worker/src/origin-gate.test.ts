import { createRecordingLogger } from '@mono/test-support'
import { describe, expect, test } from 'vitest'
import type { Passage } from './gated-origin.js'
import { OriginGate } from './origin-gate.js'

const { signal } = new AbortController()
const a = 'https://a.example.com'
const b = 'https://b.example.com'
const alive = { kind: 'alive' } as const
const failing = { kind: 'failing', code: 'TIMEOUT' } as const
const down = { kind: 'closed', code: 'CONNECTION_FAILED' } as const

function setUp({ concurrency = 10, random = 1 } = {}) {
  const clock = { now: 1_000_000 }
  const logger = createRecordingLogger()
  const gate = new OriginGate({ concurrency, logger, now: () => clock.now, random: () => random })
  const enter = async (origin = a) => {
    const passage = await gate.enter(origin, signal)
    if (typeof passage === 'number') throw new Error(`turned away for ${passage} ms`)
    return passage
  }
  return { clock, logger, gate, enter }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('while an origin answers', () => {
  test('it has so many requests at a time, and another origin has its own', async () => {
    const { gate, enter } = setUp({ concurrency: 2 })
    const first = await enter()
    await enter()
    let isIn = false
    const third = gate.enter(a, signal).then(() => (isIn = true))
    await turn()
    expect(isIn).toBe(false)
    await enter(b)
    first.leave(alive)
    await third
  })

  test('four failures in a row leave it open, and an answer makes the count begin anew', async () => {
    const { enter } = setUp()
    for (const report of [failing, failing, failing, failing, alive, failing, failing, failing, failing]) {
      expect((await enter()).leave(report)).toBeUndefined()
    }
  })
})

describe('the gate is closed', () => {
  test('by five failures in a row', async () => {
    const { gate, enter } = setUp()
    for (let count = 1; count <= 4; count += 1) (await enter()).leave(failing)
    expect((await enter()).leave(failing)).toBe(5000)
    expect(await gate.enter(a, signal)).toBe(5000)
  })

  test('by one connection that fails', async () => {
    const { gate, clock, enter } = setUp()
    expect((await enter()).leave(down)).toBe(5000)
    clock.now += 4000
    expect(await gate.enter(a, signal)).toBe(1000)
  })

  test('for as long as the origin has said', async () => {
    const { gate, enter } = setUp()
    ;(await enter()).leave({ kind: 'closed', code: 'RATE_LIMITED', waitMs: 3000 })
    expect(await gate.enter(a, signal)).toBe(3000)
  })

  test('for that origin only', async () => {
    const { enter } = setUp()
    ;(await enter(a)).leave(down)
    await enter(b)
  })

  test('also for those who wait for their turn', async () => {
    const { gate, enter } = setUp({ concurrency: 1 })
    const passage = await enter()
    const waiting = [gate.enter(a, signal), gate.enter(a, signal)]
    passage.leave(down)
    expect(await Promise.all(waiting)).toEqual([5000, 5000])
  })

  test('once, by however many requests that were under way', async () => {
    const { gate, logger, enter } = setUp()
    const passages = await Promise.all([enter(), enter(), enter(), enter()])
    for (const passage of passages.slice(0, 3)) passage.leave(down)
    expect(passages[3]?.leave(failing)).toBe(5000)
    expect(await gate.enter(a, signal)).toBe(5000)
    expect(logger.lines).toHaveLength(1)
  })

  test('an answer to what was under way does not open it, a longer wait makes it longer', async () => {
    const { gate, enter } = setUp()
    const passages = await Promise.all([enter(), enter(), enter()])
    passages[0]?.leave({ kind: 'closed', code: 'RATE_LIMITED', waitMs: 3000 })
    passages[1]?.leave(alive)
    expect(await gate.enter(a, signal)).toBe(3000)
    passages[2]?.leave({ kind: 'closed', code: 'RATE_LIMITED', waitMs: 8000 })
    expect(await gate.enter(a, signal)).toBe(8000)
  })
})

test('an origin counts as closed until it answers, also while a trial is due', async () => {
  const { gate, clock, enter } = setUp()
  ;(await enter(a)).leave(down)
  ;(await enter(b)).leave(alive)
  expect(gate.closed).toBe(1)
  clock.now += 5000
  expect(gate.closed).toBe(1)
  ;(await enter(a)).leave(alive)
  expect(gate.closed).toBe(0)
})

describe('after that time', () => {
  async function closed({ concurrency = 10 } = {}) {
    const set = setUp({ concurrency })
    ;(await set.enter()).leave(down)
    set.clock.now += 5000
    return set
  }

  test('one request is let through, and the others wait for its outcome', async () => {
    const { gate, enter } = await closed()
    const trial = await enter()
    const waiting: (Passage | number)[] = []
    const entering = [1, 2, 3].map(() => gate.enter(a, signal).then((passage) => waiting.push(passage)))
    await turn()
    expect(waiting).toHaveLength(0)
    trial.leave(alive)
    await Promise.all(entering)
    expect(waiting.every((passage) => typeof passage === 'object')).toBe(true)
  })

  test('if it fails in whatever way, the gate is closed again, for longer', async () => {
    const { gate, clock, enter } = await closed()
    const trial = await enter()
    const waiting = gate.enter(a, signal)
    expect(trial.leave(failing)).toBe(8000)
    expect(await waiting).toBe(8000)
    clock.now += 8000
    expect((await enter()).leave(failing)).toBe(8000)
  })

  test('if it says nothing, the next one is the trial', async () => {
    const { gate, enter } = await closed()
    const trial = await enter()
    const next = gate.enter(a, signal)
    trial.leave({ kind: 'none' })
    expect(await next).toBeTypeOf('object')
  })

  test('an answer opens the gate, and the next closing is the first', async () => {
    const { logger, enter } = await closed()
    ;(await enter()).leave(alive)
    expect((await enter()).leave(down)).toBe(5000)
    expect(logger.lines.map(({ level }) => level)).toEqual(['warn', 'info', 'warn'])
  })
})

test.each([
  { random: 0, times: [2500, 4000, 4000, 4000] },
  { random: 1, times: [5000, 8000, 8000, 8000] },
])('the time grows with each closing in a row, and stays below ten seconds: $times', async ({ random, times }) => {
  const { clock, enter } = setUp({ random })
  for (const time of times) {
    expect((await enter()).leave(down)).toBe(time)
    clock.now += time
  }
})

test('who stops waiting gets the reason', async () => {
  const { gate, enter } = setUp({ concurrency: 1 })
  await enter()
  const reason = new Error('stop')
  await expect(gate.enter(a, AbortSignal.abort(reason))).rejects.toBe(reason)
})

test('an origin that is closed is not forgotten, whatever others come', async () => {
  const { gate, enter } = setUp()
  ;(await enter(a)).leave(down)
  for (let count = 0; count < 2500; count += 1) (await enter(`https://${count}.example.com`)).leave(alive)
  expect(await gate.enter(a, signal)).toBe(5000)
})

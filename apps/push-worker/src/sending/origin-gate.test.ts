import { createRecordingLogger } from '@mono/test-support'
import { describe, expect, test } from 'vitest'
import { OriginGate } from './origin-gate.js'
import type { OriginReport } from './origin-report.js'

const { signal } = new AbortController()
const entry = { tenantId: 1, signal }
const a = 'https://a.example.com'
const b = 'https://b.example.com'
const alive = { kind: 'alive' } as const
const failing = { kind: 'failing', code: 'TIMEOUT' } as const
const down = { kind: 'down', code: 'CONNECTION_FAILED' } as const
const accepted = { kind: 'accepted' } as const
const refused = { kind: 'refused', code: 'RATE_LIMITED' } as const

/** An endpoint of the origin. */
const at = (origin: string, name = 'device') => ({ origin, href: `${origin}/${name}` })

function setUp({ concurrency = 10, random = 1 } = {}) {
  const clock = { now: 1_000_000 }
  const logger = createRecordingLogger()
  const gate = new OriginGate({ concurrency, logger, now: () => clock.now, random: () => random })
  const enter = async (origin = a, name = 'device') => {
    const passage = await gate.enter(at(origin, name), entry)
    if (typeof passage !== 'object') throw new Error(`turned away for ${passage} ms`)
    return passage
  }
  /** So many different endpoints, one after the other. */
  const refuse = async (count: number, report: OriginReport = refused) => {
    const closedMs = []
    for (let index = 1; index <= count; index += 1) closedMs.push((await enter(a, `refused-${index}`)).leave(report))
    return closedMs
  }
  return { clock, logger, gate, enter, refuse }
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('while an origin answers', () => {
  test('it has so many requests at a time, and another origin has its own', async () => {
    const { gate, enter } = setUp({ concurrency: 2 })
    const first = await enter()
    await enter()
    let isIn = false
    const third = gate.enter(at(a), entry).then(() => (isIn = true))
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
    expect(await gate.enter(at(a), entry)).toBe(5000)
  })

  test('by one connection that fails', async () => {
    const { gate, clock, enter } = setUp()
    expect((await enter()).leave(down)).toBe(5000)
    clock.now += 4000
    expect(await gate.enter(at(a), entry)).toBe(1000)
  })

  test('for as long as the origin has said, however short or long', async () => {
    const { gate, clock, enter } = setUp()
    expect((await enter()).leave({ ...down, waitMs: 60_000 })).toBe(60_000)
    clock.now += 60_000
    expect((await enter()).leave({ ...down, waitMs: 2000 })).toBe(2000)
    clock.now += 2000
    ;(await enter()).leave(accepted)
    expect(gate.closed).toBe(0)
  })

  test('for that origin only', async () => {
    const { enter } = setUp()
    ;(await enter(a)).leave(down)
    await enter(b)
  })

  test('also for those who wait for their turn', async () => {
    const { gate, enter } = setUp({ concurrency: 1 })
    const passage = await enter()
    const waiting = [gate.enter(at(a), entry), gate.enter(at(a), entry)]
    passage.leave(down)
    expect(await Promise.all(waiting)).toEqual([5000, 5000])
  })

  test('once, by however many requests that were under way', async () => {
    const { gate, logger, enter } = setUp()
    const passages = await Promise.all([enter(), enter(), enter(), enter()])
    for (const passage of passages.slice(0, 3)) passage.leave(down)
    expect(passages[3]?.leave(failing)).toBe(5000)
    expect(await gate.enter(at(a), entry)).toBe(5000)
    expect(logger.lines).toHaveLength(1)
  })

  test('for what is under way too: an answer to that does not open it', async () => {
    const { gate, enter } = setUp()
    const passages = await Promise.all([enter(), enter()])
    passages[0]?.leave(down)
    passages[1]?.leave(accepted)
    expect(await gate.enter(at(a), entry)).toBe(5000)
  })
})

describe('an endpoint that is refused', () => {
  test('says nothing about its push service, however often', async () => {
    const { gate, enter } = setUp()
    for (let count = 1; count <= 100; count += 1) expect((await enter()).leave(refused)).toBeUndefined()
    expect(gate.closed).toBe(0)
    await enter(a, 'another')
  })

  test('nor do nine of them, nor more of them with something accepted between', async () => {
    const { enter, refuse } = setUp()
    for (let round = 1; round <= 3; round += 1) {
      expect(await refuse(9)).toEqual(Array.from({ length: 9 }))
      ;(await enter(a, 'good')).leave(accepted)
    }
  })

  test('as the tenth, with nothing accepted between, closes the gate for all', async () => {
    const { gate, logger, refuse } = setUp()
    expect((await refuse(10)).at(-1)).toBe(5000)
    expect(await gate.enter(at(a, 'another'), entry)).toBe(5000)
    expect(gate.closed).toBe(1)
    expect(logger.lines).toMatchObject([{ level: 'warn', data: { origin: a, code: 'RATE_LIMITED' } }])
  })

  test('as the tenth, but for answers that are not acceptance', async () => {
    const { enter, refuse } = setUp()
    await refuse(9)
    ;(await enter(a, 'gone')).leave(alive)
    expect((await enter(a, 'refused-10')).leave(refused)).toBe(5000)
  })

  test('closes it for the shortest time that all of them were told to wait', async () => {
    const { clock, enter, refuse } = setUp()
    await refuse(9, { ...refused, waitMs: 60_000 })
    expect((await enter(a, 'refused-10')).leave({ ...refused, waitMs: 30_000 })).toBe(30_000)
    clock.now += 30_000
    expect((await enter(a, 'another')).leave({ ...refused, waitMs: 90_000 })).toBe(30_000)
  })

  test('does not close it for longer than usual when one of them was not told', async () => {
    const { enter, refuse } = setUp()
    await refuse(9, { ...refused, waitMs: 3_600_000 })
    expect((await enter(a, 'refused-10')).leave(refused)).toBe(5000)
  })

  test('closes nothing while requests of others are under way, and one that is accepted clears the suspicion', async () => {
    const { gate, enter } = setUp({ concurrency: 20 })
    const bad = []
    for (let index = 1; index <= 15; index += 1) bad.push(await enter(a, `refused-${index}`))
    const good = await enter(a, 'good')
    for (const passage of bad) expect(passage.leave(refused)).toBeUndefined()
    // Nobody else meanwhile.
    let isIn = false
    const next = gate.enter(at(a, 'next'), entry).then(() => (isIn = true))
    await turn()
    expect(isIn).toBe(false)
    good.leave(accepted)
    await next
    await Promise.all([enter(a, 'other'), enter(a, 'others')])
    expect(gate.closed).toBe(0)
  })

  test('closes the gate when the last of what was under way is refused too', async () => {
    const { gate, enter } = setUp({ concurrency: 15 })
    const passages = []
    for (let index = 1; index <= 15; index += 1) passages.push(await enter(a, `refused-${index}`))
    const closedMs = passages.map((passage) => passage.leave(refused))
    expect(closedMs.map((ms) => ms ?? 'open')).toEqual([...Array.from({ length: 14 }, () => 'open'), 5000])
    expect(await gate.enter(at(a, 'another'), entry)).toBe(5000)
  })
})

describe('a bad endpoint', () => {
  test('that fails five times in a row holds up itself only', async () => {
    const { gate, enter } = setUp()
    for (let count = 1; count <= 5; count += 1) (await enter(a, 'bad')).leave(failing)
    expect(await gate.enter(at(a, 'bad'), entry)).toBe(5000)
    ;(await enter(a, 'good')).leave(accepted)
    expect(gate.closed).toBe(0)
  })

  test('that fails is no proof against the others, but the next that fails is', async () => {
    const { gate, enter } = setUp()
    for (let count = 1; count <= 5; count += 1) (await enter(a, 'bad')).leave(failing)
    expect((await enter(a, 'worse')).leave(failing)).toBe(8000)
    expect(await gate.enter(at(a, 'good'), entry)).toBe(8000)
  })

  test('does not get the trial that another was turned away for', async () => {
    const { gate, clock, enter, refuse } = setUp()
    await refuse(10)
    expect(await gate.enter(at(a, 'good'), entry)).toBe(5000)
    clock.now += 5000
    expect(await gate.enter(at(a, 'refused-3'), entry)).toBe(5000)
    ;(await enter(a, 'good')).leave(accepted)
    await enter(a, 'refused-3')
  })

  test('gets it when nobody else has come, or has come back within a minute', async () => {
    const { gate, clock, enter, refuse } = setUp()
    await refuse(10)
    clock.now += 5000
    expect((await enter(a, 'refused-3')).leave(refused)).toBe(8000)
    expect(await gate.enter(at(a, 'good'), entry)).toBe(8000)
    clock.now += 8000
    expect(await gate.enter(at(a, 'refused-3'), entry)).toBe(5000)
    clock.now += 60_000
    ;(await enter(a, 'refused-3')).leave(accepted)
  })

  test('that is gone as the trial leaves it closed: nothing was accepted', async () => {
    const { gate, clock, enter, refuse } = setUp()
    await refuse(10)
    clock.now += 5000
    ;(await enter(a, 'gone')).leave(alive)
    expect(gate.closed).toBe(1)
    ;(await enter(a, 'good')).leave(accepted)
    expect(gate.closed).toBe(0)
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
    const waiting: unknown[] = []
    const entering = [1, 2, 3].map(() => gate.enter(at(a), entry).then((passage) => waiting.push(passage)))
    await turn()
    expect(waiting).toHaveLength(0)
    trial.leave(alive)
    await Promise.all(entering)
    expect(waiting.every((passage) => typeof passage === 'object')).toBe(true)
  })

  test('if it fails in whatever way, the gate is closed again, for longer', async () => {
    const { gate, clock, enter } = await closed()
    const trial = await enter()
    const waiting = gate.enter(at(a), entry)
    expect(trial.leave(failing)).toBe(8000)
    expect(await waiting).toBe(8000)
    clock.now += 8000
    expect((await enter()).leave(failing)).toBe(8000)
  })

  test('if it says nothing, the next one is the trial', async () => {
    const { gate, enter } = await closed()
    const trial = await enter()
    const next = gate.enter(at(a), entry)
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

test('tenants take turns, however many requests of one wait', async () => {
  const { gate, enter } = setUp({ concurrency: 1 })
  const first = await enter()
  const order: number[] = []
  const waiting = [1, 1, 1, 2].map(async (tenantId) => {
    const passage = await gate.enter(at(a), { tenantId, signal })
    order.push(tenantId)
    if (typeof passage === 'object') passage.leave(alive)
  })
  first.leave(alive)
  await Promise.all(waiting)
  expect(order).toEqual([1, 2, 1, 1])
})

test('who stops waiting gets the reason', async () => {
  const { gate, enter } = setUp({ concurrency: 1 })
  await enter()
  const reason = new Error('stop')
  await expect(gate.enter(at(a), { tenantId: 1, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
})

test('an origin that is closed is not forgotten, whatever others come', async () => {
  const { gate, enter } = setUp()
  ;(await enter(a)).leave(down)
  for (let count = 0; count < 2500; count += 1) (await enter(`https://${count}.example.com`)).leave(alive)
  expect(await gate.enter(at(a), entry)).toBe(5000)
})

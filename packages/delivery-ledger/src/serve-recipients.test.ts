import { DeferError } from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFakeLedger } from '../test/support/fake-ledger.js'
import type { Claim } from './delivery-ledger.js'
import { serveRecipients } from './serve-recipients.js'
import type { ServeResult } from './serve-result.js'

const sent: ServeResult = { kind: 'sent' }
const databaseAway = new DeferError('The database is not available', { code: 'DATABASE_UNAVAILABLE' })
const third = 10_000
const second = 1000

beforeEach(() => {
  vi.useFakeTimers()
  // The longest of each delay that backs off.
  vi.spyOn(Math, 'random').mockReturnValue(1)
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.restoreAllMocks()
})

interface Serving {
  claim: Claim
  answer: (result: ServeResult) => Promise<void>
  fail: (error: unknown) => Promise<void>
}

interface SetUp {
  recipients?: string[]
  concurrency?: number
  replayedAt?: Date
  /** Answers at once; without it, each recipient waits for the test. */
  serve?: (claim: Claim) => ServeResult
  ledger?: ReturnType<typeof createFakeLedger>
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`)

/** Lets everything happen that needs no time. */
const settle = () => vi.advanceTimersByTimeAsync(0)

/** Starts to serve recipients whom the test answers one by one. */
async function start({ recipients = ['a', 'b', 'c'], concurrency = 10, replayedAt, serve, ...rest }: SetUp = {}) {
  const { ledger = createFakeLedger() } = rest
  const logger = createRecordingLogger()
  const abort = new AbortController()
  const serving = new Map<string, Serving>()
  const served: string[] = []
  let most = 0

  const underWay = serveRecipients({
    ledger,
    message: { tenantId: 1, messageId: 'm-1', replayedAt },
    recipients,
    concurrency,
    signal: abort.signal,
    logger,
    async serve(claim, signal) {
      expect(signal).toBe(abort.signal)
      served.push(claim.recipient)
      if (serve) return serve(claim)
      try {
        return await new Promise<ServeResult>((resolve, reject) => {
          const after = (settled: () => void) => {
            settled()
            return settle().then(() => undefined)
          }
          serving.set(claim.recipient, {
            claim,
            answer: (result) => after(() => resolve(result)),
            fail: (error) => after(() => reject(error)),
          })
          most = Math.max(most, serving.size)
        })
      } finally {
        serving.delete(claim.recipient)
      }
    },
  })
  const outcome = underWay.then(
    (summary) => ({ summary }),
    (error: unknown) => ({ error }),
  )
  let isOver = false
  void outcome.then(() => {
    isOver = true
  })
  await settle()

  return {
    ledger,
    logged: (message: string) => logger.lines.filter((line) => line.message === message),
    lines: logger.lines,
    served,
    outcome,
    isOver: () => isOver,
    most: () => most,
    underWay: () => [...serving.keys()],
    async answer(recipient: string, result: ServeResult = sent) {
      await find(recipient).answer(result)
    },
    fail: (recipient: string, error: unknown) => find(recipient).fail(error),
    async answerAll(result: ServeResult = sent) {
      while (serving.size > 0) await Promise.all([...serving.values()].map(({ answer }) => answer(result)))
    },
    async abort(reason: unknown = new Error('The consumer was closed.')) {
      abort.abort(reason)
      await settle()
      return reason
    },
  }

  function find(recipient: string): Serving {
    const found = serving.get(recipient)
    if (!found)
      throw new Error(`Expected ${recipient} to be served, found ${[...serving.keys()].join(', ') || 'nobody'}`)
    return found
  }
}

describe('serving', () => {
  test('claims, serves and records everybody, and needs no look at those whom nobody else can have served', async () => {
    const { ledger, outcome, answer } = await start()
    await answer('a', { kind: 'sent', providerId: 'p-1' })
    await answer('b', { kind: 'failed', code: 'SMTP_550' })
    await answer('c', { kind: 'unknown', code: 'ETIMEDOUT' })
    expect(await outcome).toEqual({ summary: { sent: 1, failed: 1, unknown: 1, already: 0 } })
    expect(ledger.calls).toEqual([
      { method: 'claim', recipients: ['a', 'b', 'c'] },
      { method: 'record', recipients: ['a', 'b', 'c'] },
    ])
  })

  test('looks at all of them when a result was not recorded, because another process has that recipient', async () => {
    const { ledger, outcome, answer } = await start({ recipients: ['a', 'b'] })
    await answer('a')
    ledger.takeOver(['b'])
    await answer('b')
    expect(await outcome).toMatchObject({ error: { message: 'Another process holds the lease of 1 of 2 recipients' } })
    expect(ledger.sizes('read')).toEqual([2])
  })

  test('serves one who is named twice once', async () => {
    const { served, outcome } = await start({ recipients: ['a', 'b', 'a'], serve: () => sent })
    expect(await outcome).toEqual({ summary: { sent: 2, failed: 0, unknown: 0, already: 0 } })
    expect(served).toEqual(['a', 'b'])
  })

  test('serves only those who are left when the message comes again', async () => {
    const first = await start({ serve: ({ recipient }) => (recipient === 'b' ? { kind: 'retry', code: 'X' } : sent) })
    expect(await first.outcome).toMatchObject({ error: { name: 'RetryableError' } })
    const again = await start({ ledger: first.ledger, serve: () => sent })
    expect(again.served).toEqual(['b'])
    expect(await again.outcome).toEqual({ summary: { sent: 1, failed: 0, unknown: 0, already: 2 } })
  })

  test('serves in a replay those who have failed', async () => {
    const first = await start({ serve: ({ recipient }) => (recipient === 'b' ? { kind: 'failed', code: 'X' } : sent) })
    await first.outcome
    const plain = await start({ ledger: first.ledger, serve: () => sent })
    expect(plain.served).toEqual([])
    const replay = await start({ ledger: first.ledger, replayedAt: new Date(Date.now() + 1), serve: () => sent })
    expect(replay.served).toEqual(['b'])
    expect(await replay.outcome).toEqual({ summary: { sent: 1, failed: 0, unknown: 0, already: 2 } })
  })

  test('serves no more at a time than it was told', async () => {
    const { underWay, answer, answerAll, most, outcome } = await start({ recipients: names(8), concurrency: 3 })
    expect(underWay()).toEqual(['user-0', 'user-1', 'user-2'])
    await answer('user-1')
    expect(underWay()).toEqual(['user-0', 'user-2', 'user-3'])
    await answerAll()
    expect(most()).toBe(3)
    expect(await outcome).toMatchObject({ summary: { sent: 8 } })
  })

  test('a message for nobody is done', async () => {
    const { outcome } = await start({ recipients: [] })
    expect(await outcome).toEqual({ summary: { sent: 0, failed: 0, unknown: 0, already: 0 } })
  })
})

describe('a message for 10,000', () => {
  test('is claimed in chunks of 200, each when the one before it is under way', async () => {
    const ledger = createFakeLedger()
    let mostClaimed = 0
    ledger.onChange = () => {
      mostClaimed = Math.max(mostClaimed, ledger.statesOf('sending').length)
    }
    const { served, outcome } = await start({ recipients: names(10_000), concurrency: 20, serve: () => sent, ledger })
    expect(await outcome).toMatchObject({ summary: { sent: 10_000 } })
    expect(ledger.sizes('claim')).toEqual(Array(50).fill(200))
    expect(new Set(served).size).toBe(10_000)
    // A chunk, those under way, and those whose results are being recorded.
    expect(mostClaimed).toBeLessThanOrEqual(200 + 20 + 200)
  })

  test('is not held up by one slow recipient', async () => {
    const { ledger, served, underWay, answer, outcome } = await startWithOneSlow()
    await vi.advanceTimersByTimeAsync(100)
    expect(underWay()).toEqual(['user-0'])
    expect(served).toHaveLength(1000)
    expect(ledger.statesOf('sent')).toHaveLength(999)
    await answer('user-0')
    expect(await outcome).toMatchObject({ summary: { sent: 1000 } })
  })

  async function startWithOneSlow() {
    const run = await start({ recipients: names(1000), concurrency: 5 })
    while (run.underWay().some((recipient) => recipient !== 'user-0')) {
      await Promise.all(run.underWay().map((recipient) => (recipient === 'user-0' ? undefined : run.answer(recipient))))
    }
    return run
  }
})

describe('results', () => {
  test('are recorded after 100 ms, before everybody is served', async () => {
    const { ledger, answer, answerAll, outcome } = await start()
    await answer('a')
    await vi.advanceTimersByTimeAsync(50)
    await answer('b')
    await vi.advanceTimersByTimeAsync(49)
    expect(ledger.statesOf('sent')).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(ledger.statesOf('sent')).toEqual(['a', 'b'])
    expect(ledger.sizes('record')).toEqual([2])
    await answerAll()
    await outcome
  })

  test('are recorded at once when there are 100 of them', async () => {
    const { ledger, answer, answerAll, outcome } = await start({ recipients: names(150), concurrency: 150 })
    for (const recipient of names(99)) await answer(recipient)
    expect(ledger.sizes('record')).toEqual([])
    await answer('user-99')
    expect(ledger.sizes('record')).toEqual([100])
    await answerAll()
    await outcome
    expect(ledger.sizes('record')).toEqual([100, 50])
  })

  test('of those who wait give the claim back, with the reason', async () => {
    const { ledger, answer, answerAll, outcome } = await start()
    await answer('b', { kind: 'defer', code: 'ORIGIN_CLOSED', delayMs: 3000 })
    await answerAll()
    expect(await outcome).toMatchObject({ error: { name: 'DeferError', delayMs: 3000 } })
    expect(ledger.rows.get('b')).toMatchObject({ state: 'retry', code: 'ORIGIN_CLOSED' })
    expect(ledger.sizes('release')).toEqual([1])
  })

  test('are recorded again and again while the database is away, and nothing is sent meanwhile', async () => {
    const { ledger, logged, answer, answerAll, underWay, outcome } = await start({ concurrency: 2 })
    ledger.faults.record = databaseAway
    await answer('a')
    expect(underWay()).toEqual(['b', 'c'])
    await vi.advanceTimersByTimeAsync(100)
    await answer('b')
    await answer('c')
    // 200 ms, 400, 800 …
    await vi.advanceTimersByTimeAsync(5 * second)
    expect(ledger.sizes('record')).toEqual(Array(5).fill(1))
    expect(logged('Results cannot be recorded; trying again, and sending nothing meanwhile')).toHaveLength(1)
    ledger.faults.record = undefined
    await vi.advanceTimersByTimeAsync(5 * second)
    await answerAll()
    expect(await outcome).toMatchObject({ summary: { sent: 3 } })
  })

  test('that cannot be recorded keep others from being served', async () => {
    const { ledger, answer, answerAll, underWay, outcome } = await start({ concurrency: 1 })
    ledger.faults.record = databaseAway
    await answer('a')
    await vi.advanceTimersByTimeAsync(150)
    // Taken before it was known.
    await answer('b')
    expect(underWay()).toEqual([])
    ledger.faults.record = undefined
    await vi.advanceTimersByTimeAsync(second)
    expect(underWay()).toEqual(['c'])
    await answerAll()
    expect(await outcome).toMatchObject({ summary: { sent: 3 } })
  })

  test('are given up after two minutes; the message is deferred and the leases run out', async () => {
    const { ledger, logged, answer, outcome } = await start({ concurrency: 1 })
    ledger.faults.record = databaseAway
    await answer('a')
    await vi.advanceTimersByTimeAsync(150)
    await answer('b')
    await vi.advanceTimersByTimeAsync(119 * second)
    expect(logged('Results were not recorded: these recipients may be served again')).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(10 * second)
    expect(await outcome).toEqual({ error: databaseAway })
    expect(logged('Results were not recorded: these recipients may be served again')[0]).toMatchObject({
      level: 'error',
      data: { count: 1 },
    })
    expect(ledger.statesOf('sending')).toEqual(['a', 'b'])
    expect(ledger.statesOf('retry')).toEqual(['c'])
  })

  test('that the database refuses for another reason are not tried again', async () => {
    const { ledger, answer, outcome } = await start({ concurrency: 1 })
    const bug = new Error('syntax error')
    ledger.faults.record = bug
    await answer('a')
    await vi.advanceTimersByTimeAsync(100)
    await answer('b')
    expect(await outcome).toEqual({ error: bug })
    expect(ledger.statesOf('retry')).toEqual(['c'])
  })
})

describe('leases', () => {
  test('are renewed every third of their time while somebody is served, and not after', async () => {
    const { ledger, answer, answerAll, outcome } = await start()
    await vi.advanceTimersByTimeAsync(third - 1)
    expect(ledger.sizes('renew')).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(ledger.sizes('renew')).toEqual([3])
    await answer('a')
    await vi.advanceTimersByTimeAsync(third)
    expect(ledger.sizes('renew')).toEqual([3, 2])
    await vi.advanceTimersByTimeAsync(10 * third)
    expect(ledger.sizes('renew')).toHaveLength(12)
    await answerAll()
    expect(await outcome).toMatchObject({ summary: { sent: 3 } })
    await vi.advanceTimersByTimeAsync(10 * third)
    expect(ledger.sizes('renew')).toHaveLength(12)
  })

  test('of those who wait for their turn are renewed too', async () => {
    const { ledger, answerAll, outcome } = await start({ recipients: names(500), concurrency: 1 })
    await vi.advanceTimersByTimeAsync(4 * third)
    expect(ledger.sizes('renew')).toEqual(Array(4).fill(200))
    await answerAll()
    expect(await outcome).toMatchObject({ summary: { sent: 500 } })
  })

  test('of results that cannot be recorded are renewed too', async () => {
    const { ledger, answerAll, outcome } = await start()
    ledger.faults.record = databaseAway
    await answerAll()
    await vi.advanceTimersByTimeAsync(3 * third)
    expect(ledger.sizes('renew')).toEqual([3, 3, 3])
    ledger.faults.record = undefined
    await vi.advanceTimersByTimeAsync(5 * second)
    expect(await outcome).toMatchObject({ summary: { sent: 3 } })
  })

  test('that are lost are logged; who waits is left to the other process, a result is ignored', async () => {
    const { ledger, logged, served, answer, answerAll, outcome } = await start({ concurrency: 1 })
    ledger.takeOver(['a', 'b'])
    await vi.advanceTimersByTimeAsync(third)
    expect(logged('Leases were lost to another process while recipients were served')).toMatchObject([
      { level: 'warn', data: { lost: 2 } },
    ])
    await answer('a')
    await answerAll()
    expect(await outcome).toMatchObject({
      error: { name: 'DeferError', message: 'Another process holds the lease of 2 of 3 recipients' },
    })
    expect(served).toEqual(['a', 'c'])
    expect(ledger.rows.get('a')).toMatchObject({ state: 'sending', attempts: 2 })
    expect(logged('Results came too late: another process has those recipients')).toMatchObject([
      { data: { results: 2, recorded: 1 } },
    ])
  })

  test('are not called lost because their results were recorded meanwhile', async () => {
    const { ledger, lines, answerAll, outcome } = await start()
    const letThrough = ledger.holdBack('record')
    await answerAll()
    await vi.advanceTimersByTimeAsync(third)
    expect(ledger.sizes('renew')).toEqual([3])
    letThrough()
    expect(await outcome).toMatchObject({ summary: { sent: 3 } })
    expect(lines).toEqual([])
  })

  test('that could not be renewed in time are not used any more, but given back', async () => {
    const { ledger, served, answer, outcome, isOver } = await start({ concurrency: 1 })
    ledger.faults.renew = databaseAway
    ledger.faults.claim = databaseAway
    await vi.advanceTimersByTimeAsync(3 * third)
    await answer('a')
    await settle()
    expect(served).toEqual(['a'])
    expect(isOver()).toBe(true)
    expect(ledger.statesOf('retry')).toEqual(['b', 'c'])
    expect(await outcome).toMatchObject({
      error: { name: 'DeferError', message: '2 of 3 recipients are still to be served' },
    })
  })

  test('whose renewal failed are renewed sooner', async () => {
    const { ledger, logged, answer, answerAll, served, outcome } = await start({ concurrency: 1 })
    ledger.faults.renew = databaseAway
    await vi.advanceTimersByTimeAsync(2.5 * third)
    expect(logged('Leases could not be renewed')[0]).toMatchObject({ level: 'warn', data: { leases: 3 } })
    ledger.faults.renew = undefined
    await vi.advanceTimersByTimeAsync(second)
    await vi.advanceTimersByTimeAsync(0.5 * third)
    await answer('a')
    await answerAll()
    expect(served).toEqual(['a', 'b', 'c'])
    expect(await outcome).toMatchObject({ summary: { sent: 3 } })
  })
})

describe('an abort', () => {
  test('gives back at once who waits, records who is served, and throws the reason', async () => {
    const run = await start({ recipients: names(300), concurrency: 2 })
    const { ledger, answer, isOver, outcome } = run
    await answer('user-0')
    const reason = await run.abort()
    expect(ledger.sizes('claim')).toEqual([200])
    expect(ledger.statesOf('retry')).toHaveLength(197)
    expect(isOver()).toBe(false)
    await answer('user-1')
    await answer('user-2', { kind: 'unknown', code: 'ECONNECTION' })
    expect(await outcome).toEqual({ error: reason })
    expect(ledger.statesOf('sent')).toEqual(['user-0', 'user-1'])
    expect(ledger.statesOf('unknown')).toEqual(['user-2'])
    expect(ledger.statesOf('sending')).toEqual([])
    expect(ledger.sizes('claim')).toEqual([200])
    expect(ledger.sizes('read')).toEqual([])
  })

  test('gives back who is cut short before anything was sent', async () => {
    const run = await start()
    const reason = await run.abort()
    await run.fail('a', reason)
    await run.answerAll()
    expect(await run.outcome).toEqual({ error: reason })
    expect(run.ledger.statesOf('retry')).toEqual(['a'])
    expect(run.ledger.statesOf('sent')).toEqual(['b', 'c'])
  })

  test('gives back what is being claimed', async () => {
    const ledger = createFakeLedger()
    const letThrough = ledger.holdBack('claim')
    const run = await start({ ledger })
    const reason = await run.abort()
    expect(ledger.statesOf('sending')).toEqual(['a', 'b', 'c'])
    letThrough()
    expect(await run.outcome).toEqual({ error: reason })
    expect(run.served).toEqual([])
    expect(ledger.statesOf('retry')).toEqual(['a', 'b', 'c'])
  })

  test('before the start leaves no trace', async () => {
    const signal = AbortSignal.abort(new Error('stopping'))
    const ledger = createFakeLedger()
    const serving = serveRecipients({
      ledger,
      message: { tenantId: 1, messageId: 'm-1' },
      recipients: ['a'],
      concurrency: 1,
      signal,
      logger: createRecordingLogger(),
      serve: async () => sent,
    })
    await expect(serving).rejects.toBe(signal.reason)
    expect(ledger.calls).toEqual([])
  })

  test('ends the waiting for a database that is away after one more try', async () => {
    const run = await start()
    run.ledger.faults.record = databaseAway
    await run.answerAll()
    await vi.advanceTimersByTimeAsync(10 * second)
    const tries = run.ledger.sizes('record').length
    const reason = await run.abort()
    expect(run.ledger.sizes('record')).toHaveLength(tries + 1)
    expect(await run.outcome).toEqual({ error: reason })
  })

  test('leaves the lease of one who does not heed it to run out', async () => {
    const run = await start({ recipients: ['a'] })
    await run.abort()
    await vi.advanceTimersByTimeAsync(10 * third)
    expect(run.ledger.sizes('renew')).toEqual([])
    await run.answerAll()
    expect(run.isOver()).toBe(true)
  })
})

describe('an error thrown while a recipient is served', () => {
  test('stops the others, and leaves the claim to its lease, because nobody knows whether it was sent', async () => {
    const run = await start({ recipients: names(300), concurrency: 3 })
    const bug = new TypeError('x is not a function')
    await run.fail('user-0', bug)
    expect(run.underWay()).toEqual(['user-1', 'user-2'])
    await run.answerAll()
    expect(await run.outcome).toEqual({ error: bug })
    expect(run.ledger.statesOf('sent')).toEqual(['user-1', 'user-2'])
    expect(run.ledger.statesOf('retry')).toHaveLength(197)
    expect(run.ledger.statesOf('sending')).toEqual(['user-0'])
  })

  test('that says that nothing was tried gives the claim back', async () => {
    const run = await start({ concurrency: 1 })
    const away = new DeferError('The server is away', { code: 'PROVIDER_UNAVAILABLE' })
    await run.fail('a', away)
    expect(await run.outcome).toEqual({ error: away })
    expect(run.ledger.statesOf('retry')).toEqual(['a', 'b', 'c'])
  })
})

describe('a ledger that cannot be asked', () => {
  test('defers the message; who is under way is recorded', async () => {
    const run = await start({ recipients: names(201), concurrency: 2, ledger: createFakeLedger() })
    run.ledger.faults.claim = databaseAway
    await run.answerAll()
    expect(await run.outcome).toMatchObject({ error: { code: 'DATABASE_UNAVAILABLE', hasProgressed: true } })
    expect(run.ledger.statesOf('sent')).toHaveLength(200)
    expect(run.ledger.statesOf('sending')).toEqual([])
  })

  test('at the end defers the message', async () => {
    const ledger = createFakeLedger()
    ledger.takeOver(['b'])
    const run = await start({ ledger })
    run.ledger.faults.read = databaseAway
    await run.answerAll()
    expect(await run.outcome).toMatchObject({ error: { code: 'DATABASE_UNAVAILABLE', hasProgressed: true } })
  })
})

describe('the look at everybody at the end', () => {
  test('finds whom another process is serving: the message is deferred', async () => {
    const ledger = createFakeLedger()
    ledger.takeOver(['b'])
    const { served, outcome } = await start({ ledger, serve: () => sent })
    expect(served).toEqual(['a', 'c'])
    expect(await outcome).toMatchObject({
      error: { name: 'DeferError', message: 'Another process holds the lease of 1 of 3 recipients' },
    })
  })

  test('finds that everybody has failed, before and now', async () => {
    const first = await start({ recipients: ['a'], serve: () => ({ kind: 'failed', code: 'SMTP_550' }) })
    await first.outcome
    const { outcome } = await start({ ledger: first.ledger, serve: () => ({ kind: 'failed', code: 'SUPPRESSED' }) })
    expect(await outcome).toMatchObject({
      error: {
        name: 'PermanentError',
        code: 'ALL_RECIPIENTS_FAILED',
        message: 'All 3 recipients failed: 2 SUPPRESSED, 1 SMTP_550',
      },
    })
  })
})

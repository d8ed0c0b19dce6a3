import { DeferError, GiveWayError, RetryableError } from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { createSlots } from '@mono/waiting'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { createFakeLedger, type FakeLedger } from '../test/support/fake-ledger.js'
import type { Claim } from './delivery-ledger.js'
import { formatResumePoint, parseResumePoint } from './resume-point.js'
import { serveRecipients } from './serve-recipients.js'
import type { ServeRecipientsOptions } from './serve-recipients-options.js'
import type { ServeResult } from './serve-result.js'

const minute = 60_000
const recipients = Array.from({ length: 250 }, (_, index) => `user-${index}`)

beforeEach(() => void vi.useFakeTimers())

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

type SetUp = Partial<ServeRecipientsOptions> & {
  ledger?: FakeLedger
  /** How long each recipient takes, in milliseconds. */
  takesMs?: number
  resultOf?(recipient: string): ServeResult
}

/** Serves a message once. */
function start({ ledger = createFakeLedger(), takesMs = 10, resultOf = () => ({ kind: 'sent' }), ...options }: SetUp) {
  const served: string[] = []
  async function serve({ recipient }: Claim): Promise<ServeResult> {
    served.push(recipient)
    await new Promise((resolve) => setTimeout(resolve, takesMs))
    return resultOf(recipient)
  }
  const ending = serveRecipients({
    ledger,
    message: { tenantId: 1, messageId: 'm-1' },
    recipients,
    concurrency: 10,
    signal: new AbortController().signal,
    logger: createRecordingLogger(),
    serve,
    ...options,
  }).then(
    (summary) => ({ summary, error: undefined }),
    (error: Error) => ({ summary: undefined, error }),
  )
  return { ledger, served, ending }
}

async function serve(setUp: SetUp) {
  const { ending, ...started } = start(setUp)
  await vi.runAllTimersAsync()
  return { ...started, ...(await ending) }
}

/** Serves the message as often as it gives way, and once more. */
async function serveToTheEnd(setUp: SetUp & { ledger: FakeLedger }) {
  const passes: string[][] = []
  for (let resumeAt: string | undefined; ; ) {
    const { served, summary, error } = await serve({ ...setUp, othersMayWait: () => true, resumeAt })
    passes.push(served)
    if (!(error instanceof GiveWayError)) return { passes, summary, error }
    resumeAt = error.resumeAt
  }
}

describe('a message with many recipients', () => {
  test('gives way each time that it has served a hundred and others may wait, and is complete at the end', async () => {
    const { passes, summary } = await serveToTheEnd({ ledger: createFakeLedger() })
    // Those that are under way when the share is used up are served too.
    expect(passes.map(({ length }) => length)).toEqual([109, 109, 32])
    expect(new Set(passes.flat()).size).toBe(250)
    expect(summary).toMatchObject({ sent: 32, already: 218 })
  })

  test('goes on where it was, without a look at those before', async () => {
    const { served, ledger } = await serve({ resumeAt: '200' })
    expect(served).toEqual(recipients.slice(200))
    expect(ledger.sizes('claim')).toEqual([50])
  })

  test('is served in one go if no others wait', async () => {
    const { summary } = await serve({ othersMayWait: () => false })
    expect(summary).toMatchObject({ sent: 250 })
  })

  test('does not give way for the sake of nobody: those that are left are under way', async () => {
    const { summary } = await serve({ recipients: recipients.slice(0, 105), othersMayWait: () => true })
    expect(summary).toMatchObject({ sent: 105 })
  })

  test('gives way after a minute in any case, and gives back what it has claimed', async () => {
    const { error, ledger, served } = await serve({ takesMs: 25_000, concurrency: 2 })
    expect(error).toMatchObject({ name: 'GiveWayError', resumeAt: '6' })
    expect(served).toHaveLength(6)
    expect(ledger.statesOf('sent')).toHaveLength(6)
    expect(ledger.statesOf('sending')).toEqual([])
  })

  test('does not give way before it has served anybody, however long that takes', async () => {
    const { error } = await serve({ takesMs: 3 * minute, concurrency: 2 })
    expect(error).toMatchObject({ name: 'GiveWayError', resumeAt: '2' })
  })
})

describe('a message with groups', () => {
  const slow = recipients.map((name) => `slow-${name}`)
  const all = [...slow, ...recipients]
  const groupOf = (recipient: string) => (recipient.startsWith('slow') ? 'slow' : 'fast')

  /** Those of the slow group are never answered, until `end`. */
  function startStuck(options: SetUp = {}) {
    const stuck: (() => void)[] = []
    const served: string[] = []
    const serve = async ({ recipient }: Claim): Promise<ServeResult> => {
      if (groupOf(recipient) === 'slow') await new Promise<void>((resolve) => stuck.push(resolve))
      served.push(recipient)
      return { kind: 'sent' }
    }
    const end = () => {
      for (const resolve of stuck.splice(0)) resolve()
    }
    return { ...start({ recipients: all, groupOf, serve, ...options }), served, stuck, end }
  }

  test('serves one while the other stands still', async () => {
    const { served, stuck, end, ending } = startStuck()
    await vi.advanceTimersByTimeAsync(0)
    expect(served).toEqual(recipients)
    expect(stuck).toHaveLength(10)
    while (stuck.length > 0) {
      end()
      await vi.advanceTimersByTimeAsync(0)
    }
    expect(await ending).toMatchObject({ summary: { sent: 500 } })
  })

  test('gives way as a whole, and goes on in each group where it was', async () => {
    const ledger = createFakeLedger()
    const { passes, summary } = await serveToTheEnd({ ledger, recipients: all, groupOf })
    expect(new Set(passes.flat()).size).toBe(500)
    expect(passes.flat()).toHaveLength(500)
    expect(summary).toMatchObject({ already: 500 - (passes.at(-1)?.length ?? 0) })
    const { error } = await serve({ recipients: all, groupOf, othersMayWait: () => true })
    expect(error).toMatchObject({ resumeAt: expect.stringMatching(/^slow:\d+ fast:\d+$/) })
  })

  test('ends as a whole by the first error, and says what was done', async () => {
    const refused = new DeferError('The database is away', { code: 'DATABASE_UNAVAILABLE' })
    const { error, served } = await serve({
      recipients: all,
      groupOf,
      resultOf(recipient) {
        if (recipient === 'slow-user-20') throw refused
        return { kind: 'sent' }
      },
    })
    expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE', hasProgressed: true })
    expect(served.length).toBeLessThan(100)
  })

  test('whose fault it is that nobody was served, is told of all', async () => {
    const { error } = await serve({ recipients: all, groupOf, resultOf: () => ({ kind: 'failed', code: 'GONE' }) })
    expect(error).toMatchObject({ code: 'ALL_RECIPIENTS_FAILED' })
  })
})

test('a message of which nobody is final gives way without having progressed', async () => {
  const resultOf = (): ServeResult => ({ kind: 'retry', code: 'SMTP_452' })
  const { error } = await serve({ resultOf, othersMayWait: () => true })
  expect(error).toMatchObject({ name: 'GiveWayError', hasProgressed: false })
  expect((await serve({ othersMayWait: () => true })).error).toMatchObject({ hasProgressed: true })
})

test('the last chunk is served by as many at a time as the first', async () => {
  const ledger = createFakeLedger()
  let atWork = 0
  let most = 0
  const serving = serveRecipients({
    ledger,
    message: { tenantId: 1, messageId: 'm-1' },
    recipients: [...recipients, ...recipients.map((recipient) => `other ${recipient}`)].slice(0, 300),
    concurrency: 10,
    signal: new AbortController().signal,
    logger: createRecordingLogger(),
    async serve({ recipient }) {
      // The next chunk is claimed while the end of this one is served.
      if (recipient === 'user-199') setTimeout(ledger.holdBack('claim'), 1_000)
      atWork += 1
      if (ledger.sizes('claim').length === 2) most = Math.max(most, atWork)
      await new Promise((resolve) => setTimeout(resolve, 10))
      atWork -= 1
      return { kind: 'sent' }
    },
  })
  await vi.runAllTimersAsync()
  expect(await serving).toMatchObject({ sent: 300 })
  expect(most).toBe(10)
})

describe('recipients of an earlier part', () => {
  const isRefused = (recipient: string) => recipient === 'user-3'

  test('who are to be tried again count one attempt at the end, not one for each part', async () => {
    const ledger = createFakeLedger()
    const resultOf = (recipient: string): ServeResult =>
      isRefused(recipient) ? { kind: 'retry', code: 'SMTP_450' } : { kind: 'sent' }
    const { passes, error } = await serveToTheEnd({ ledger, resultOf })
    expect(error).toBeInstanceOf(RetryableError)
    expect(error?.message).toBe('1 of 250 recipients could not be served: 1 SMTP_450')
    expect(passes.flat().filter(isRefused)).toHaveLength(1)
    expect((await serve({ ledger })).served).toEqual(['user-3'])
  })

  test.each([
    {
      what: 'whom another process has given up without a try',
      code: undefined,
      reason: '10 of 250 recipients are still to be served',
    },
    {
      what: 'whom another process has given up, after a try when the message was there before,',
      code: 'SMTP_450',
      reason: '10 of 250 recipients have to wait: 10 SMTP_450',
    },
  ])('$what count none', async ({ code, reason }) => {
    const ledger = createFakeLedger()
    const others = recipients.slice(0, 10)
    ledger.takeOver(others)
    const { error } = await serve({ ledger, othersMayWait: () => true })
    expect(error).toMatchObject({ name: 'GiveWayError' })
    for (const recipient of others) {
      const row = ledger.rows.get(recipient)
      if (row) ledger.rows.set(recipient, { ...row, state: 'retry', code })
    }
    const { resumeAt } = error as GiveWayError
    expect((await serve({ ledger, resumeAt })).error).toMatchObject({ name: 'DeferError', message: reason })
  })

  test('who wait without having been tried count none', async () => {
    const resultOf = (recipient: string): ServeResult =>
      isRefused(recipient) ? { kind: 'defer', code: 'HTTP_429' } : { kind: 'sent' }
    const { error } = await serveToTheEnd({ ledger: createFakeLedger(), resultOf })
    expect(error).toMatchObject({ name: 'DeferError', hasProgressed: true })
  })
})

describe('recipients that are to be admitted', () => {
  test('are not claimed before while others are in line', async () => {
    const slots = createSlots(4)
    const othersAreInLine = () => true
    const ledger = createFakeLedger()
    let mostClaimed = 0
    ledger.onChange = () => {
      mostClaimed = Math.max(mostClaimed, ledger.statesOf('sending').length)
    }
    const admit = async (signal: AbortSignal) => {
      await slots.acquire(signal)
      return () => slots.release()
    }
    const { summary } = await serve({ ledger, admit, othersAreInLine })
    expect(summary).toMatchObject({ sent: 250 })
    // Those whose results are being recorded are held a moment longer.
    expect(mostClaimed).toBeLessThanOrEqual(4 + 100)
    expect(Math.max(...ledger.sizes('claim'))).toBeLessThanOrEqual(4)
    expect(slots.held).toBe(0)
  })

  test('are claimed ahead, as many as are served at a time, while nobody else is in line', async () => {
    const ledger = createFakeLedger()
    const { summary } = await serve({ ledger, admit: async () => () => {} })
    expect(summary).toMatchObject({ sent: 250 })
    expect(ledger.sizes('claim')).toEqual(Array(25).fill(10))
  })

  test('of one message stand in line one at a time, so that others are not behind all of them', async () => {
    const slots = createSlots(2)
    let longest = 0
    const admit = async (signal: AbortSignal) => {
      const admission = slots.acquire(signal)
      longest = Math.max(longest, slots.waiting)
      await admission
      return () => slots.release()
    }
    const ledgers = [createFakeLedger(), createFakeLedger(), createFakeLedger()]
    const messages = ledgers.map((ledger) => start({ ledger, admit }))
    await vi.runAllTimersAsync()
    for (const { ending } of messages) expect(await ending).toMatchObject({ summary: { sent: 250 } })
    expect(longest).toBe(3)
  })

  test('keep nobody waiting in line when the last one is handed out', async () => {
    const slots = createSlots(2)
    const admit = async (signal: AbortSignal) => {
      await slots.acquire(signal)
      return () => slots.release()
    }
    // Somebody else holds one of the two for ever.
    await slots.acquire(new AbortController().signal)
    const { summary } = await serve({ admit, recipients: recipients.slice(0, 3) })
    expect(summary).toMatchObject({ sent: 3 })
    expect([slots.held, slots.waiting]).toEqual([1, 0])
  })

  test('wait no longer when the message gives way', async () => {
    const slots = createSlots(1)
    const admit = async (signal: AbortSignal) => {
      await slots.acquire(signal)
      return () => slots.release()
    }
    const { error, served } = await serve({ admit, takesMs: 45_000 })
    expect(error).toMatchObject({ name: 'GiveWayError', resumeAt: '2' })
    expect([served.length, slots.held, slots.waiting]).toEqual([2, 0, 0])
  })

  test('are not served if whoever admits them says that nobody can be', async () => {
    const refused = new Error('The mail server cannot be used')
    const { error, served } = await serve({ admit: () => Promise.reject(refused) })
    expect([error, served]).toEqual([refused, []])
  })
})

describe('groups that are to be admitted', () => {
  const groupOf = (recipient: string) => (Number(recipient.slice('user-'.length)) < 100 ? 'slow' : 'fast')

  test('are not claimed before, and hold up no other', async () => {
    const ledger = createFakeLedger()
    let open = () => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    const asked: unknown[] = []
    const admitGroup: ServeRecipientsOptions['admitGroup'] = async (group) => {
      asked.push(group)
      if (group.name === 'slow') await opened
      return () => asked.push(`${group.name} is done`)
    }
    const { ending, served } = start({ ledger, groupOf, admitGroup })
    await vi.advanceTimersByTimeAsync(5_000)
    expect(new Set(served.map(groupOf))).toEqual(new Set(['fast']))
    expect([served.length, ledger.statesOf('sending').length]).toEqual([150, 0])
    expect(asked).toEqual([{ name: 'slow', size: 100 }, { name: 'fast', size: 150 }, 'fast is done'])
    open()
    await vi.runAllTimersAsync()
    expect(await ending).toMatchObject({ summary: { sent: 250 } })
    expect(asked.at(-1)).toBe('slow is done')
  })

  test('are asked for nothing when everybody of them has had a turn', async () => {
    const asked: string[] = []
    const admitGroup: ServeRecipientsOptions['admitGroup'] = async ({ name }) => {
      asked.push(name)
      return () => {}
    }
    await serve({ groupOf, admitGroup, resumeAt: 'slow:100 fast:3' })
    await serve({ groupOf, admitGroup, resumeAt: 'slow:120 fast:3' })
    expect(asked).toEqual(['fast', 'fast'])
  })

  test('wait no longer when the message gives way, and have not had a turn', async () => {
    const admitGroup: ServeRecipientsOptions['admitGroup'] = ({ name }, signal) =>
      name === 'fast'
        ? Promise.resolve(() => {})
        : createSlots(0)
            .acquire(signal)
            .then(() => () => {})
    const { error } = await serve({ groupOf, admitGroup, othersMayWait: () => true })
    expect(error).toMatchObject({ name: 'GiveWayError', resumeAt: 'fast:109 slow:0' })
  })

  test('are not served if whoever admits them says that nobody can be', async () => {
    const refused = new DeferError('The push service takes notifications more slowly than they come')
    const { error, served } = await serve({ admitGroup: () => Promise.reject(refused) })
    expect([error, served]).toEqual([refused, []])
  })
})

test.each<[Record<string, number>, boolean, string]>([
  [{ '': 0 }, false, '0'],
  [{ '': 1_000 }, true, '1000 deferred'],
  [{ web: 12, fcm: 0 }, false, 'web:12 fcm:0'],
  [{ apns: 3 }, true, 'apns:3 deferred'],
])('%j, deferred %j, is written %j, and read as it was written', (groups, hasDeferred, text) => {
  const point = { indexes: new Map(Object.entries(groups)), hasDeferred }
  expect(formatResumePoint(point)).toBe(text)
  expect(parseResumePoint(text)).toEqual(point)
})

test.each([undefined, '', '-1', '1e3', '1000000000000', 'deferred', '3 deferred ', 'web:', 'web:1 2', ':1'])(
  '%j is the beginning',
  (text) => {
    expect(parseResumePoint(text)).toEqual({ indexes: new Map(), hasDeferred: false })
  },
)

test('of more groups than there is room for, those that have come furthest are told', () => {
  const indexes = new Map(Array.from({ length: 9 }, (_, index) => [`web-aaa${index}`, index * 100]))
  const text = formatResumePoint({ indexes, hasDeferred: true })
  expect(text).toBe('web-aaa8:800 web-aaa7:700 web-aaa6:600 web-aaa5:500 deferred')
  expect(parseResumePoint(text)).toMatchObject({ hasDeferred: true })
})

import { createRecordingLogger } from '@mono/test-support'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type Mail,
  type PacedProvider,
  SendError,
  type SendOptions,
  type SendOutcome,
  type SendReceipt,
} from '../email-provider.js'
import { createFailover, type Failover } from './create-failover.js'

const second = 1_000

const taken: SendReceipt = { providerId: 'q1', accepted: ['x'], rejected: [] }
const failing = (outcome: SendOutcome, message = `It says ${outcome}`) =>
  new SendError(message, { outcome, code: `CODE_${outcome}` })

interface Held {
  to: string
  answer(what: SendReceipt | Error): void
}

/** Takes mails at once, unless it is told to answer otherwise or to hold them. */
class FakeProvider implements PacedProvider {
  tookAt = 0
  gotAt = 0
  concurrency = 10
  pausedForMs = 0
  /** The answer that it gives to mails. Default: it takes them. */
  says: Error | SendReceipt = taken
  probeFault: Error | undefined
  probes = 0
  holds = false
  /** Mails that it holds count as handed over: they are not given back. */
  handsOver = false
  /** Mails wait in line, because others are on their way or the next is not due. */
  isFull = false
  closed = false
  /** A mail's turn comes after so long. */
  turnAfterMs = 0
  readonly held: Held[] = []
  readonly asked: string[] = []

  async send(mail: Mail, _envelope: unknown, signal: AbortSignal, { withdraw, onTurn }: SendOptions = {}) {
    this.asked.push(mail.to.address)
    if (this.turnAfterMs > 0) setTimeout(() => onTurn?.(), this.turnAfterMs)
    else if (!this.isFull) onTurn?.()
    if (!this.isFull && (!this.holds || this.handsOver)) this.gotAt = performance.now()
    const said = this.holds ? await this.#hold(mail, signal, withdraw) : this.says
    if (said instanceof Error) throw said
    if (said.accepted.length > 0) this.tookAt = performance.now()
    return said
  }

  async probe() {
    this.probes += 1
    if (this.probeFault) throw this.probeFault
  }

  async close() {
    this.closed = true
  }

  #hold(mail: Mail, signal: AbortSignal, withdraw: AbortSignal | undefined) {
    return new Promise<SendReceipt | Error>((resolve, reject) => {
      this.held.push({ to: mail.to.address, answer: resolve })
      signal.addEventListener('abort', () => reject(signal.reason))
      if (!this.handsOver) withdraw?.addEventListener('abort', () => reject(withdraw.reason))
    })
  }
}

let smtp: FakeProvider
let mailgun: FakeProvider
let failover: Failover
let logger: ReturnType<typeof createRecordingLogger>
let counted: string[]

beforeEach(() => {
  vi.useFakeTimers()
  // The clock begins at 0, which says of a provider that it never took a mail.
  vi.advanceTimersByTime(second)
  // The longest of each delay that backs off.
  vi.spyOn(Math, 'random').mockReturnValue(1)
  smtp = new FakeProvider()
  mailgun = new FakeProvider()
  logger = createRecordingLogger()
  counted = []
  failover = createFailover({
    providers: [
      { name: 'smtp', provider: smtp },
      { name: 'mailgun', provider: mailgun },
    ],
    counts: { settled: (provider, kind) => counted.push(`${provider} ${kind}`) },
    logger,
  })
})

afterEach(async () => {
  await failover.close()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const statesOf = () => failover.candidates.map(({ health }) => health.state)
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

/** Resolves with by whom it went, or with what was said. */
async function send(to = 'ada@example.com', { only, signal = new AbortController().signal }: TestSendOptions = {}) {
  const mail = {
    from: { address: 'mono@example.com' },
    to: { address: to },
    subject: 's',
    messageId: '<1@example.com>',
  }
  try {
    const receipt = await failover.send(mail, { from: 'mono@example.com', to: [to] }, signal, { only })
    return receipt.provider
  } catch (error) {
    if (!(error instanceof SendError)) throw error
    return { outcome: error.outcome, code: error.code, message: error.message, provider: error.provider }
  }
}

interface TestSendOptions {
  only?: string
  signal?: AbortSignal
}

/** The mail server has gone away at a mail that went on. */
async function leaveFirst(error: Error = failing('provider', 'No route')) {
  smtp.says = error
  expect(await send()).toBe('mailgun')
  expect(statesOf()).toEqual(['away', 'well'])
}

describe('a mail', () => {
  test('goes by the first that is well', async () => {
    expect(await send()).toBe('smtp')
    expect(mailgun.asked).toEqual([])
    expect(counted).toEqual(['smtp sent'])
  })

  test.each<[string, Error | SendReceipt]>([
    ['is away', failing('provider')],
    ['refuses it for now', failing('transient')],
    [
      'refuses its recipient for now',
      { providerId: '', accepted: [], rejected: [{ address: 'x', code: 'SMTP_451', permanent: false }] },
    ],
    ['names nobody whom it has accepted', { providerId: '', accepted: [], rejected: [] }],
  ])('goes by the next at once if the first %s', async (_what, says) => {
    smtp.says = says
    expect(await send()).toBe('mailgun')
  })

  test.each<[string, Error | SendReceipt, string]>([
    ['may have it', failing('unknown'), 'unknown'],
    ['refuses its content', failing('permanent'), 'permanent'],
    [
      'refuses its recipient',
      { providerId: '', accepted: [], rejected: [{ address: 'x', code: 'SMTP_550', permanent: true }] },
      'permanent',
    ],
  ])('goes by nobody else if the first %s', async (_what, says, outcome) => {
    smtp.says = says
    expect(await send()).toMatchObject({ outcome, provider: 'smtp' })
    expect(mailgun.asked).toEqual([])
    expect(counted).toEqual([`smtp ${outcome}`])
  })

  test('is refused for good if the second says so', async () => {
    smtp.says = failing('transient')
    mailgun.says = failing('permanent', 'No such user')
    expect(await send()).toMatchObject({ outcome: 'permanent', message: 'No such user', provider: 'mailgun' })
  })

  test('is of unknown outcome if the second may have it', async () => {
    smtp.says = failing('provider')
    mailgun.says = failing('unknown')
    expect(await send()).toMatchObject({ outcome: 'unknown', provider: 'mailgun' })
  })

  test.each<[SendOutcome, SendOutcome, SendOutcome]>([
    ['transient', 'provider', 'transient'],
    ['provider', 'transient', 'transient'],
    ['transient', 'transient', 'transient'],
    ['provider', 'provider', 'provider'],
  ])('that finds them %s and %s is refused as %s, in the words of both', async (first, second, outcome) => {
    smtp.says = failing(first, 'One')
    mailgun.says = failing(second, 'Two')
    expect(await send()).toEqual({
      outcome,
      code: `CODE_${outcome}`,
      message: 'smtp: One; mailgun: Two',
      provider: undefined,
    })
  })

  test('that one may have goes by that one only', async () => {
    expect(await send('a@example.com', { only: 'mailgun' })).toBe('mailgun')
    mailgun.says = failing('transient', 'Later')
    expect(await send('a@example.com', { only: 'mailgun' })).toMatchObject({ outcome: 'transient', message: 'Later' })
    await pass(second)
    mailgun.says = failing('provider', 'Away')
    expect(await send('a@example.com', { only: 'mailgun' })).toMatchObject({ outcome: 'provider', message: 'Away' })
    expect(await send('a@example.com', { only: 'mailgun' })).toMatchObject({
      outcome: 'provider',
      code: 'PROVIDER_AWAY',
      message: 'mailgun may have the mail from an earlier try: Away',
    })
    expect(smtp.asked).toEqual([])
  })

  test('that somebody may have who is not configured any more goes by those who are', async () => {
    expect(await send('a@example.com', { only: 'carrier-pigeon' })).toBe('smtp')
  })

  test('that is cut short by a stop says nothing of the provider', async () => {
    smtp.holds = true
    const abort = new AbortController()
    const sending = send('a@example.com', { signal: abort.signal })
    const reason = new Error('stopping')
    abort.abort(reason)
    await expect(sending).rejects.toBe(reason)
    expect(statesOf()).toEqual(['well', 'well'])
    expect(mailgun.asked).toEqual([])
  })

  test('that a stop leaves in doubt says nothing of the provider either', async () => {
    const abort = new AbortController()
    smtp.send = async () => {
      abort.abort(new Error('stopping'))
      throw failing('unknown')
    }
    expect(await send('a@example.com', { signal: abort.signal })).toMatchObject({ outcome: 'unknown' })
    expect(statesOf()).toEqual(['well', 'well'])
  })

  test('with an error of the program stops there', async () => {
    const bug = new TypeError('bug')
    smtp.says = bug
    await expect(send()).rejects.toBe(bug)
    expect(mailgun.asked).toEqual([])
  })
})

describe('a provider goes away', () => {
  test('when a mail finds it so, and is asked no more; the log says it once', async () => {
    await leaveFirst()
    expect(await send()).toBe('mailgun')
    expect(smtp.asked).toHaveLength(1)
    expect(logger.lines).toEqual([
      expect.objectContaining({
        level: 'warn',
        message: 'A provider cannot be used; mails go by another one',
        data: { provider: 'smtp', reason: 'No route' },
      }),
    ])
  })

  test('when it leaves a mail in doubt', async () => {
    smtp.says = failing('unknown')
    await send()
    expect(statesOf()).toEqual(['away', 'well'])
  })

  test('when a second mail finds the same, however long ago it began', async () => {
    smtp.holds = true
    const slow = [send('a@example.com'), send('b@example.com'), send('c@example.com')]
    await pass(second)
    smtp.holds = false
    await send('quick@example.com')
    await pass(second)
    smtp.held[0]?.answer(failing('unknown'))
    await slow[0]
    expect(statesOf()).toEqual(['well', 'well'])
    await send('quick@example.com')
    await pass(second)
    smtp.held[1]?.answer(failing('unknown'))
    await slow[1]
    expect(statesOf()).toEqual(['well', 'well'])
    await pass(second)
    smtp.held[2]?.answer(failing('provider'))
    await slow[2]
    expect(statesOf()).toEqual(['away', 'well'])
  })

  test('not if it has taken another one since that mail began', async () => {
    smtp.holds = true
    const slow = send('slow@example.com')
    await pass(second)
    smtp.holds = false
    await send('quick@example.com')
    smtp.held[0]?.answer(failing('unknown'))
    expect(await slow).toMatchObject({ outcome: 'unknown' })
    expect(statesOf()).toEqual(['well', 'well'])
  })

  test('when it refuses five recipients in a row for now', async () => {
    smtp.says = failing('transient', 'Try later')
    for (const name of ['a', 'b', 'c', 'd', 'd', 'd']) await send(`${name}@example.com`)
    expect(statesOf()).toEqual(['well', 'well'])
    await send('e@example.com')
    expect(statesOf()).toEqual(['away', 'well'])
    expect(failover.candidates[0]?.health.reason).toBe('Try later')
  })

  test('not if it takes one between', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'taken', 'e', 'f', 'g', 'h']) {
      smtp.says = name === 'taken' ? taken : failing('transient')
      await send(`${name}@example.com`)
    }
    expect(statesOf()).toEqual(['well', 'well'])
  })

  test('and what waits there goes by the next at once, but for what was handed over', async () => {
    smtp.holds = true
    smtp.handsOver = true
    const handedOver = send('handed-over@example.com')
    smtp.handsOver = false
    const waiting = [send('b@example.com'), send('c@example.com')]
    smtp.holds = false
    smtp.says = failing('provider')
    await send('d@example.com')
    expect(await Promise.all(waiting)).toEqual(['mailgun', 'mailgun'])
    smtp.held[0]?.answer(taken)
    expect(await handedOver).toBe('smtp')
    // It was begun before: nobody knows whether another one would be taken.
    expect(statesOf()).toEqual(['away', 'well'])
    expect(counted).toEqual(expect.arrayContaining(['smtp moved', 'smtp moved', 'smtp sent']))
  })

  test('when it has not got a mail in ten seconds, and has taken none', async () => {
    smtp.holds = true
    const waiting = send()
    await pass(10 * second - 1)
    expect(mailgun.asked).toEqual([])
    await pass(1)
    expect(await waiting).toBe('mailgun')
    expect(failover.candidates[0]?.health).toMatchObject({ state: 'away', reason: 'It has got no mail in 10 s' })
  })

  test('not if it has got all that it may, and is slow to answer: those in line go by the next', async () => {
    smtp.holds = true
    smtp.handsOver = true
    const handedOver = send('handed-over@example.com')
    smtp.isFull = true
    smtp.handsOver = false
    await pass(second)
    const waiting = [send('b@example.com'), send('c@example.com')]
    await pass(10 * second)
    expect(await Promise.all(waiting)).toEqual(['mailgun', 'mailgun'])
    expect(statesOf()).toEqual(['well', 'well'])
    await pass(second)
    smtp.held[0]?.answer(taken)
    expect(await handedOver).toBe('smtp')
  })

  test('not if a mail had its turn for less than eight seconds: it goes by the next', async () => {
    smtp.holds = true
    smtp.turnAfterMs = 2 * second + 1
    const late = send('late@example.com')
    await pass(10 * second)
    expect(await late).toBe('mailgun')
    expect(statesOf()).toEqual(['well', 'well'])
    smtp.turnAfterMs = 2 * second
    const early = send('early@example.com')
    await pass(10 * second)
    expect(await early).toBe('mailgun')
    expect(failover.candidates[0]?.health).toMatchObject({ state: 'away', reason: 'It has got no mail in 8 s' })
  })

  test('not if it has got another mail since, answered or not: one that had its turn goes by the next', async () => {
    smtp.holds = true
    const waiting = send('waiting@example.com')
    await pass(second)
    smtp.handsOver = true
    const handedOver = send('handed-over@example.com')
    await pass(9 * second)
    expect(await waiting).toBe('mailgun')
    expect(statesOf()).toEqual(['well', 'well'])
    smtp.held[1]?.answer(taken)
    expect(await handedOver).toBe('smtp')
  })

  test('not while the next mail is not due: those in line go by the next', async () => {
    expect(await send('a@example.com')).toBe('smtp')
    smtp.holds = true
    smtp.isFull = true
    await pass(40 * second)
    const waiting = send('b@example.com')
    await pass(10 * second)
    expect(await waiting).toBe('mailgun')
    expect(statesOf()).toEqual(['well', 'well'])
  })

  test('when mails wait in line, and it has got none for two minutes', async () => {
    smtp.holds = true
    smtp.handsOver = true
    const handedOver = send('handed-over@example.com')
    smtp.handsOver = false
    smtp.isFull = true
    await pass(109 * second)
    const earlier = send('b@example.com')
    await pass(2 * second)
    const later = send('c@example.com')
    await pass(8 * second)
    expect(await earlier).toBe('mailgun')
    expect(statesOf()).toEqual(['well', 'well'])
    await pass(2 * second)
    expect(await later).toBe('mailgun')
    expect(failover.candidates[0]?.health).toMatchObject({ state: 'away', reason: 'It has got no mail in 120 s' })
    smtp.held[0]?.answer(taken)
    expect(await handedOver).toBe('smtp')
  })

  test('not if it is only slow: a mail that has waited for ten seconds goes by the next', async () => {
    smtp.holds = true
    const waiting = send('waiting@example.com')
    await pass(5 * second)
    smtp.holds = false
    await send('quick@example.com')
    await pass(5 * second)
    expect(await waiting).toBe('mailgun')
    expect(statesOf()).toEqual(['well', 'well'])
  })

  test.each([
    [5, 10],
    [30, 1],
  ])(
    'not while it wants mails more slowly: with %d s to go until one is begun, those in line go by the next after %d s',
    async (pauseSeconds, seconds) => {
      smtp.holds = true
      const waiting = send()
      await pass(0)
      smtp.pausedForMs = pauseSeconds * second
      await pass(seconds * second - 1)
      expect(mailgun.asked).toEqual([])
      await pass(1)
      expect(await waiting).toBe('mailgun')
      expect(statesOf()).toEqual(['well', 'well'])
    },
  )

  test('and a mail waits on if there is nobody else, until there is', async () => {
    mailgun.says = failing('provider')
    mailgun.probeFault = new Error('No')
    await send('a@example.com', { only: 'mailgun' })
    smtp.holds = true
    const waiting = send('b@example.com')
    await pass(35 * second)
    expect(smtp.held).toHaveLength(1)
    mailgun.probeFault = undefined
    mailgun.says = taken
    await pass(40 * second)
    expect(await waiting).toBe('mailgun')
  })
})

test('whoever begins no mail for more than ten seconds comes after the others', async () => {
  smtp.pausedForMs = 10 * second + 1
  expect(await send()).toBe('mailgun')
  smtp.pausedForMs = 10 * second
  expect(await send()).toBe('smtp')
  smtp.pausedForMs = 60 * second
  mailgun.says = failing('transient')
  expect(await send()).toBe('smtp')
})

test('nobody is taken back for the sake of one that begins no mail', async () => {
  mailgun.pausedForMs = 60 * second
  smtp.holds = true
  const waiting = send()
  await pass(20 * second)
  expect(mailgun.asked).toEqual([])
  mailgun.pausedForMs = 0
  await pass(second)
  expect(await waiting).toBe('mailgun')
  expect(counted).toEqual(['smtp moved', 'mailgun sent'])
})

describe('a provider that is away', () => {
  test('is probed after a second, then less and less often, but every thirty seconds', async () => {
    smtp.probeFault = new Error('Still no route')
    await leaveFirst()
    for (const delayMs of [1, 2, 4, 8, 16, 30, 30].map((seconds) => seconds * second)) {
      const { probes } = smtp
      await pass(delayMs - 1)
      expect(smtp.probes).toBe(probes)
      await pass(1)
      expect(smtp.probes).toBe(probes + 1)
    }
    expect(failover.candidates[0]?.health.reason).toBe('Still no route')
    expect(smtp.asked).toHaveLength(1)
  })

  test('is tried by one mail when a probe is answered, and is well when it takes it', async () => {
    await leaveFirst()
    await pass(second)
    expect(statesOf()).toEqual(['trial', 'well'])
    smtp.holds = true
    const tried = send('tried@example.com')
    expect(await send('other@example.com')).toBe('mailgun')
    smtp.held[0]?.answer(taken)
    expect(await tried).toBe('smtp')
    smtp.holds = false
    smtp.says = taken
    expect(await send()).toBe('smtp')
    expect(logger.lines.at(-1)).toMatchObject({
      level: 'info',
      message: 'A provider takes mails again',
      data: { provider: 'smtp', awayMs: second },
    })
  })

  test.each<SendOutcome>(['provider', 'transient', 'unknown'])(
    'is away again if the mail that tries it is %s, and is probed later each time',
    async (outcome) => {
      await leaveFirst()
      await pass(second)
      smtp.says = failing(outcome, 'Not yet')
      const said = await send('tried@example.com')
      expect(outcome === 'unknown' ? said : { outcome }).toMatchObject({ outcome })
      expect(outcome === 'unknown' ? 'mailgun' : said).toBe('mailgun')
      expect(statesOf()).toEqual(['away', 'well'])
      await pass(2 * second - 1)
      expect(smtp.probes).toBe(1)
      await pass(1)
      expect(smtp.probes).toBe(2)
    },
  )

  test('is away again also if it takes one meanwhile that it was given before', async () => {
    smtp.holds = true
    smtp.handsOver = true
    const before = send('before@example.com')
    smtp.holds = false
    await leaveFirst()
    await pass(second)
    smtp.holds = true
    const tried = send('tried@example.com')
    await pass(second)
    smtp.held[0]?.answer(taken)
    expect(await before).toBe('smtp')
    expect(statesOf()).toEqual(['trial', 'well'])
    smtp.held[1]?.answer(failing('provider'))
    expect(await tried).toBe('mailgun')
    expect(statesOf()).toEqual(['away', 'well'])
  })

  test('is tried by one mail only, also if nobody else takes the others', async () => {
    await leaveFirst()
    await pass(second)
    smtp.holds = true
    const tried = send('tried@example.com')
    mailgun.says = failing('transient')
    expect(await send('other@example.com')).toMatchObject({ outcome: 'transient' })
    smtp.held[0]?.answer(taken)
    expect(await tried).toBe('smtp')
  })

  test('begins anew with a second when it goes away once more', async () => {
    smtp.probeFault = new Error('No')
    await leaveFirst()
    await pass(60 * second)
    smtp.probeFault = undefined
    await pass(30 * second)
    smtp.says = taken
    expect(await send()).toBe('smtp')
    await pass(second)
    await leaveFirst()
    const { probes } = smtp
    await pass(second)
    expect(smtp.probes).toBe(probes + 1)
  })

  test('is tried by the next mail if it refuses the first for good', async () => {
    await leaveFirst()
    await pass(second)
    smtp.says = failing('permanent')
    await send('nobody@example.com')
    expect(statesOf()).toEqual(['trial', 'well'])
    smtp.says = taken
    expect(await send()).toBe('smtp')
    expect(statesOf()).toEqual(['well', 'well'])
  })

  test('is away again if it has not got that mail in ten seconds', async () => {
    await leaveFirst()
    await pass(second)
    smtp.holds = true
    const tried = send()
    await pass(10 * second)
    expect(await tried).toBe('mailgun')
    expect(statesOf()).toEqual(['away', 'well'])
  })

  test('tells how long it is so', async () => {
    const [health] = failover.candidates.map((candidate) => candidate.health)
    smtp.probeFault = new Error('No')
    expect(health?.awayForMs).toBe(0)
    await leaveFirst()
    await pass(700 * second)
    expect(health?.awayForMs).toBe(700 * second)
    smtp.probeFault = undefined
    await pass(30 * second)
    expect(health?.awayForMs).toBe(0)
    smtp.says = failing('provider')
    await send()
    expect(health?.awayForMs).toBe(730 * second)
  })
})

describe('while all are away', () => {
  beforeEach(async () => {
    smtp.says = failing('provider', 'One')
    mailgun.says = failing('provider', 'Two')
    smtp.probeFault = new Error('One still')
    mailgun.probeFault = new Error('Two still')
    await send()
    expect(statesOf()).toEqual(['away', 'away'])
  })

  test('nobody is asked for a mail', async () => {
    expect(await send()).toMatchObject({
      outcome: 'provider',
      code: 'PROVIDERS_AWAY',
      message: 'smtp: One; mailgun: Two',
    })
    expect([smtp.asked.length, mailgun.asked.length]).toEqual([1, 1])
  })

  test('a probe asks all at once, and fails in the words of all', async () => {
    await expect(failover.probe()).rejects.toThrow('smtp: One still; mailgun: Two still')
    expect([smtp.probes, mailgun.probes]).toEqual([1, 1])
  })

  test('a probe is answered when one answers; then mails go by that one, not one only', async () => {
    mailgun.probeFault = undefined
    await failover.probe()
    expect(statesOf()).toEqual(['away', 'trial'])
    mailgun.holds = true
    const sending = [send('a@example.com'), send('b@example.com')]
    expect(mailgun.held.map(({ to }) => to)).toEqual(['a@example.com', 'b@example.com'])
    for (const { answer } of mailgun.held) answer(taken)
    expect(await Promise.all(sending)).toEqual(['mailgun', 'mailgun'])
    await failover.probe()
    expect([smtp.probes, mailgun.probes]).toEqual([1, 1])
  })

  test('a probe that one holds up fails after five seconds', async () => {
    smtp.probe = () => new Promise(() => {})
    const probed = expect(failover.probe()).rejects.toThrow('smtp: One; mailgun: Two still')
    await pass(5 * second)
    await probed
  })
})

test('closing ends the probes, and closes all', async () => {
  await leaveFirst()
  await failover.close()
  await pass(60 * second)
  expect(smtp.probes).toBe(0)
  expect([smtp.closed, mailgun.closed]).toEqual([true, true])
})

test('it took a mail last when any of them did', async () => {
  await pass(5 * second)
  await send()
  expect(failover.tookAt).toBe(smtp.tookAt)
  expect(failover.tookAt).toBeGreaterThan(0)
})

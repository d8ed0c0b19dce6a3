import { DeferError, PermanentError, RetryableError } from '@mono/message-queue'
import { describe, expect, test } from 'vitest'
import { concludeMessage } from './conclude-message.js'
import type { RecipientRecord, RecipientState } from './delivery-ledger.js'
import type { ServeResult } from './serve-result.js'

interface Recipient {
  state?: RecipientState
  leased?: boolean
  code?: string
  /** The outcome for this recipient during this delivery of the message. */
  result?: ServeResult
}

const served = { state: 'sent', result: { kind: 'sent' } } satisfies Recipient
const failed = (code: string): Recipient => ({ state: 'failed', code, result: { kind: 'failed', code } })
const retried = (code: string, reason?: string): Recipient => ({
  state: 'retry',
  result: { kind: 'retry', code, reason },
})
const deferred = (code: string, delayMs?: number): Recipient => ({
  state: 'retry',
  result: { kind: 'defer', code, delayMs },
})
const leased = { state: 'sending', leased: true } satisfies Recipient

function conclude(...given: Recipient[]) {
  const recipients = given.map((_, i) => `user-${i}`)
  const named = given.map((one, i) => [`user-${i}`, one] as const)
  const records = named.flatMap(([recipient, { state, leased = false, code }]) => {
    const record: RecipientRecord | undefined = state && {
      state,
      leasedByOther: leased,
      ...(code !== undefined && { lastCode: code }),
    }
    return record ? [[recipient, record] as const] : []
  })
  const results = named.flatMap(([recipient, { result }]) => (result ? [[recipient, result] as const] : []))
  return concludeMessage({ recipients, records: new Map(records), results: new Map(results) })
}

/** The error of a conclusion that is expected to throw. */
function failureOf(...given: Recipient[]): unknown {
  try {
    return conclude(...given)
  } catch (error) {
    return error
  }
}

describe('when everybody is final', () => {
  test('counts who was served now by state, and the others as served already', () => {
    const unknown: Recipient = { state: 'unknown', result: { kind: 'unknown', code: 'ETIMEDOUT' } }
    expect(conclude(served, served, failed('SMTP_550'), unknown, { state: 'sent' }, { state: 'failed' })).toEqual({
      sent: 2,
      failed: 1,
      unknown: 1,
      already: 2,
    })
  })

  test('believes the ledger and not the result, if another process took the recipient over', () => {
    expect(conclude(served, { state: 'unknown', result: { kind: 'sent' } })).toMatchObject({ sent: 1, unknown: 1 })
  })

  test('a message for nobody is done', () => {
    expect(conclude()).toEqual({ sent: 0, failed: 0, unknown: 0, already: 0 })
  })

  test('a message of which everybody has failed fails for good, and says for what', () => {
    const error = failureOf(failed('SUPPRESSED'), failed('SMTP_550'), failed('SMTP_550'), {
      state: 'failed',
      code: 'X',
    })
    expect(error).toBeInstanceOf(PermanentError)
    expect(error).toMatchObject({
      code: 'ALL_RECIPIENTS_FAILED',
      message: 'All 4 recipients failed: 2 SMTP_550, 1 SUPPRESSED, 1 X',
    })
  })

  test('one who was served, or may have been, or was before, is enough', () => {
    const others: Recipient[] = [served, { state: 'unknown' }, { state: 'sent' }]
    for (const other of others) expect(() => conclude(failed('SMTP_550'), other)).not.toThrow()
  })
})

describe('when somebody is not final', () => {
  test('a lease of another process defers, whatever became of the others', () => {
    const error = failureOf(served, leased, retried('SMTP_451'), deferred('ORIGIN_CLOSED', 5000), failed('SMTP_550'))
    expect(error).toBeInstanceOf(DeferError)
    expect(error).toMatchObject({ message: 'Another process holds the lease of 1 of 5 recipients', delayMs: undefined })
  })

  test('one who was tried in vain is retried, and counts as an attempt', () => {
    const error = failureOf(served, retried('SMTP_451'), retried('ETIMEDOUT'), retried('SMTP_451'), failed('SMTP_550'))
    expect(error).toBeInstanceOf(RetryableError)
    expect(error).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      message: '3 of 5 recipients could not be served: 2 SMTP_451, 1 ETIMEDOUT',
    })
  })

  test('one who was tried in vain costs those who only wait no attempt', () => {
    for (const waiting of [deferred('ORIGIN_CLOSED'), {}]) {
      expect(failureOf(retried('SMTP_451'), waiting)).toBeInstanceOf(DeferError)
    }
  })

  test('the first reason is told, without whom it concerns', () => {
    const reason = '451 <eve@example.org>: greylisted, see https://example.org/eve/x1?y for more'
    expect(failureOf(retried('ETIMEDOUT'), retried('SMTP_451', reason))).toMatchObject({
      message:
        '2 of 2 recipients could not be served: 1 ETIMEDOUT, 1 SMTP_451. ' +
        'The first: 451 <[address]>: greylisted, see [url] for more',
    })
  })

  test('those who only wait defer, for the shortest of their delays', () => {
    const error = failureOf(
      served,
      deferred('ORIGIN_CLOSED', 9000),
      deferred('ORIGIN_CLOSED', 3000),
      deferred('X', 60_000),
    )
    expect(error).toBeInstanceOf(DeferError)
    expect(error).toMatchObject({
      code: 'PROVIDER_UNAVAILABLE',
      delayMs: 3000,
      message: '3 of 4 recipients have to wait: 2 ORIGIN_CLOSED, 1 X',
    })
  })

  test('those who wait alone are no fault of a provider', () => {
    const alone: Recipient = { state: 'retry', result: { kind: 'defer', code: 'PROVIDER_AWAY', alone: true } }
    const error = failureOf(served, alone)
    expect(error).toBeInstanceOf(DeferError)
    expect(error).toMatchObject({ code: 'UNCLASSIFIED', message: '1 of 2 recipients have to wait: 1 PROVIDER_AWAY' })
    expect(failureOf(alone, deferred('ORIGIN_CLOSED'))).toMatchObject({ code: 'PROVIDER_UNAVAILABLE' })
  })

  test('those who were deferred before the message gave way are no fault of a provider', () => {
    const record: RecipientRecord = { state: 'retry', leasedByOther: false, lastCode: 'PROVIDER_AWAY' }
    const records = new Map<string, RecipientRecord>([
      ['ada', record],
      ['bob', { state: 'sent', leasedByOther: false }],
    ])
    const results = new Map([['bob', { kind: 'sent' } as const]])
    const served = { recipients: ['ada', 'bob'], records, results, before: new Set(['ada']), hasDeferred: true }
    expect(() => concludeMessage(served)).toThrow(
      expect.objectContaining({
        name: 'DeferError',
        code: 'UNCLASSIFIED',
        message: '1 of 2 recipients have to wait: 1 PROVIDER_AWAY',
      }),
    )
  })

  test('one who waits without a delay waits for the queue’s shortest', () => {
    expect(failureOf(deferred('A', 9000), deferred('B'))).toMatchObject({ name: 'DeferError', delayMs: undefined })
  })

  test('those whom another process has given up, or has left behind, or nobody has claimed, defer', () => {
    for (const open of [{ state: 'retry' }, { state: 'sending' }, {}] satisfies Recipient[]) {
      const error = failureOf(served, open, deferred('A', 60_000))
      expect(error).toBeInstanceOf(DeferError)
      expect(error).toMatchObject({ message: '1 of 3 recipients are still to be served', delayMs: undefined })
    }
  })

  test('everybody else having failed does not make it final', () => {
    expect(failureOf(failed('SMTP_550'), retried('SMTP_451'))).toBeInstanceOf(RetryableError)
    expect(failureOf(failed('SMTP_550'), leased)).toBeInstanceOf(DeferError)
  })
})

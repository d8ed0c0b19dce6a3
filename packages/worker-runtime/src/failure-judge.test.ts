import { DeferError, PermanentError, RetryableError } from '@mono/message-queue'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { FailureJudge } from './failure-judge.js'

const internal = () => Object.assign(new Error('could not open relation 4711'), { code: 'XX000' })
const deferral = { name: 'DeferError', code: 'DATABASE_UNAVAILABLE', message: expect.stringContaining('XX000: could') }

const findFault = vi.fn<() => Promise<string | undefined>>()
const onNobodysFault = vi.fn<(reason: string) => void>()
let judge: FailureJudge
let count = 0

beforeEach(() => {
  vi.useFakeTimers()
  vi.resetAllMocks()
  findFault.mockResolvedValue(undefined)
  judge = new FailureJudge({ findFault, onNobodysFault })
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})

/** Other messages with each call. */
const messagesOf = (tenantId: number, length: number) =>
  Array.from({ length }, () => ({ tenantId, messageId: `message-${count++}` }))

type Message = ReturnType<typeof messagesOf>[number]

/** All fail at the same time; resolves with what is thrown for each. */
async function fail(messages: Message[], createError: (index: number) => unknown = internal) {
  const judging = Promise.all(messages.map((message, index) => judge.judge(message, createError(index))))
  await vi.advanceTimersByTimeAsync(1000)
  return await judging
}

const isDeferral = (failure: unknown) => failure instanceof DeferError

describe('a failure is nobody’s fault', () => {
  test('when five different messages suffer it, the first of them included', async () => {
    const failures = await fail(messagesOf(1, 5))
    expect(failures).toEqual(Array.from({ length: 5 }, () => expect.objectContaining(deferral)))
    expect(onNobodysFault).not.toHaveBeenCalled()
    expect((await fail(messagesOf(2, 1))).map(isDeferral)).toEqual([true])
  })

  test('when one message suffers it and a dependency cannot be used', async () => {
    findFault.mockResolvedValue('cannot execute INSERT')
    const [failure] = await fail(messagesOf(1, 1), () => new TypeError('no rows'))
    expect(failure).toMatchObject({ name: 'DeferError', message: expect.stringContaining('cannot execute INSERT') })
    expect(findFault).toHaveBeenCalledOnce()
    expect(onNobodysFault).not.toHaveBeenCalled()
  })

  test('when a dependency takes longer to be found out', async () => {
    findFault.mockImplementation(async () => {
      await new Promise((resolve) => setTimeout(resolve, 3000))
      return 'no answer'
    })
    const failing = fail(messagesOf(1, 1))
    await vi.advanceTimersByTimeAsync(3000)
    expect((await failing).map(isDeferral)).toEqual([true])
  })

  test('whatever throws it; one that is not of the database has a breaker of its own', async () => {
    const failures = await fail(messagesOf(1, 5), (index) => new TypeError(`no part ${index} of "x${index}"`))
    expect(failures).toEqual(
      Array.from({ length: 5 }, () => expect.objectContaining({ name: 'DeferError', code: 'UNCLASSIFIED' })),
    )
    expect(onNobodysFault.mock.calls.join()).toContain('no part 4 of "x4"')
  })
})

describe('a failure is the message’s own', () => {
  test('when fewer suffer it', async () => {
    const messages = messagesOf(1, 4)
    expect((await fail(messages)).some(isDeferral)).toBe(false)
    expect((await fail(messages)).some(isDeferral)).toBe(false)
  })

  test('when each fails in a way of its own', async () => {
    const failures = await fail(messagesOf(1, 20), (index) => Object.assign(new Error('no'), { code: `XX00${index}` }))
    expect(failures.some(isDeferral)).toBe(false)
  })

  test('when something is done between', async () => {
    for (let n = 0; n < 5; n += 1) {
      const failing = fail(messagesOf(1, 4))
      judge.succeed({ tenantId: 1, messageId: 'good' })
      expect((await failing).some(isDeferral)).toBe(false)
    }
  })

  test.each([
    new PermanentError('no'),
    new RetryableError('no'),
    Object.assign(new Error('null value'), { code: '23502' }),
    Object.assign(new Error('bad text'), { code: '22021' }),
  ])('when the code or the database says so: %s', async (error) => {
    const failures = await fail(messagesOf(1, 20), () => error)
    expect(failures.every((failure) => failure === error)).toBe(true)
  })

  test('when only one tenant suffers it, and others have been served', async () => {
    judge.succeed({ tenantId: 2, messageId: 'good' })
    expect((await fail(messagesOf(1, 50))).some(isDeferral)).toBe(false)
    expect((await fail(messagesOf(2, 1))).map(isDeferral)).toEqual([true])
  })

  test('when it was excused before and something has been done since', async () => {
    const messages = messagesOf(1, 5)
    expect((await fail(messages)).every(isDeferral)).toBe(true)
    judge.succeed({ tenantId: 1, messageId: 'good' })
    expect((await fail(messages)).some(isDeferral)).toBe(false)
  })
})

import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RetryableError } from '../../errors/handler-errors.js'
import { runHandler } from './run-handler.js'

const timeoutMs = 1_000
const open = () => new AbortController().signal

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** Settles when the test says so; ignores its signal. */
function createStubbornHandler() {
  const { promise, resolve, reject } = withResolvers<string>()
  const signals: AbortSignal[] = []
  const handler = (signal: AbortSignal) => {
    signals.push(signal)
    return promise
  }
  return { handler, resolve, reject, signal: () => signals[0] as AbortSignal }
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (reason: unknown) => void = () => {}
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

describe('runHandler', () => {
  test('passes on what the handler returns, and leaves no timer', async () => {
    await expect(runHandler(async () => 'done', { timeoutMs, signal: open() })).resolves.toBe('done')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('passes on what the handler throws, and leaves no timer', async () => {
    const error = new Error('no luck')
    await expect(runHandler(() => Promise.reject(error), { timeoutMs, signal: open() })).rejects.toBe(error)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('passes on what a handler throws that is no async function, and leaves no timer', async () => {
    const throwing = () => {
      throw new TypeError('oops')
    }
    await expect(runHandler(throwing, { timeoutMs, signal: open() })).rejects.toThrow('oops')
    expect(vi.getTimerCount()).toBe(0)
  })

  test('gives up a handler whose time is up: HANDLER_TIMEOUT, to be retried, and its signal is aborted', async () => {
    const { handler, signal } = createStubbornHandler()
    const result = runHandler(handler, { timeoutMs, signal: open() })
    const rejected = expect(result).rejects.toMatchObject({
      name: 'RetryableError',
      code: 'HANDLER_TIMEOUT',
      message: 'The handler took longer than 1000 ms.',
    })
    vi.advanceTimersByTime(timeoutMs - 1)
    expect(signal().aborted).toBe(false)
    vi.advanceTimersByTime(1)
    await rejected
    expect(signal().aborted).toBe(true)
    expect(signal().reason).toBeInstanceOf(RetryableError)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('gives up a handler when the consumer is closed: its signal is aborted with the reason, and no timer is left', async () => {
    const { handler, signal } = createStubbornHandler()
    const closing = new AbortController()
    const result = runHandler(handler, { timeoutMs, signal: closing.signal })
    const reason = new Error('The consumer was closed.')
    closing.abort(reason)
    await expect(result).rejects.toBe(reason)
    expect(signal().aborted).toBe(true)
    expect(signal().reason).toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('does not begin for a consumer that is closed already', async () => {
    const handler = vi.fn(async () => {})
    const reason = new Error('The consumer was closed.')
    await expect(runHandler(handler, { timeoutMs, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(handler).not.toHaveBeenCalled()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('does not abort the signal of a handler that is done', async () => {
    const { handler, resolve, signal } = createStubbornHandler()
    const closing = new AbortController()
    const result = runHandler(handler, { timeoutMs, signal: closing.signal })
    resolve('done')
    await result
    closing.abort()
    vi.advanceTimersByTime(timeoutMs)
    expect(signal().aborted).toBe(false)
  })

  test.each(['resolves', 'rejects'])('drops the result of a handler that %s after its time', async (how) => {
    const onUnhandled = vi.fn()
    process.on('unhandledRejection', onUnhandled)
    const { handler, resolve, reject } = createStubbornHandler()
    const result = runHandler(handler, { timeoutMs, signal: open() })
    const rejected = expect(result).rejects.toMatchObject({ code: 'HANDLER_TIMEOUT' })
    vi.advanceTimersByTime(timeoutMs)
    await rejected
    if (how === 'resolves') resolve('too late')
    else reject(new Error('too late'))
    vi.useRealTimers()
    // Unhandled rejections are reported when the microtasks have run.
    await new Promise((resolveSoon) => setImmediate(resolveSoon))
    process.off('unhandledRejection', onUnhandled)
    expect(onUnhandled).not.toHaveBeenCalled()
  })

  test('leaves no listener on the signal of a consumer that lives on', async () => {
    const { signal } = new AbortController()
    const add = vi.spyOn(signal, 'addEventListener')
    const remove = vi.spyOn(signal, 'removeEventListener')
    await runHandler(async () => {}, { timeoutMs, signal })
    expect(remove.mock.calls.map(([, listener]) => listener)).toEqual(add.mock.calls.map(([, listener]) => listener))
    expect(add).toHaveBeenCalledTimes(1)
  })
})

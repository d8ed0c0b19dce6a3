import { getEventListeners, once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { withDeadline } from './with-deadline.js'

afterEach(() => void vi.useRealTimers())

const createError = () => new Error('too late')

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason))
  })

/** Busy until then: nothing of the event loop runs, as in a process that is suspended. */
function suspend(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('the signal is aborted with the error made for it when the time is up', async () => {
  await expect(withDeadline({ ms: 5, createError }, untilAborted)).rejects.toThrow('too late')
  await expect(withDeadline({ ms: 5 }, untilAborted)).rejects.toThrow('It took longer than 5 ms')
})

test('the signal is aborted when the other one is, before or meanwhile, with its reason', async () => {
  const reason = new Error('stop')
  const controller = new AbortController()
  const limit = { ms: 10_000, signal: controller.signal, createError }
  const running = withDeadline(limit, untilAborted)
  controller.abort(reason)
  await expect(running).rejects.toBe(reason)
  await withDeadline(limit, async (signal) => {
    expect(signal.reason).toBe(reason)
  })
})

test('settles as what it runs does, though the time is up', async () => {
  const ignorant = (signal: AbortSignal) =>
    new Promise((resolve) => {
      signal.addEventListener('abort', () => setImmediate(resolve, 'done nevertheless'))
    })
  await expect(withDeadline({ ms: 1, createError }, ignorant)).resolves.toBe('done nevertheless')
})

test('leaves no timer and no listener of what has settled', async () => {
  vi.useFakeTimers()
  const { signal } = new AbortController()
  await withDeadline({ ms: 100, signal, createError }, async () => {})
  await withDeadline({ ms: 100, signal, createError }, () => Promise.reject(new Error('failed'))).catch(() => {})
  expect(vi.getTimerCount()).toBe(0)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('what has arrived while the process was suspended is read before its time is called over', async () => {
  const server = createServer((socket) => socket.end('answer')).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const asking = withDeadline(
    { ms: 20, createError },
    (signal) =>
      new Promise((resolve, reject) => {
        socket.once('data', (data) => resolve(String(data)))
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  // The kernel has taken the connection; the server answers in the turn in which the time is up.
  suspend(60)
  await expect(asking).resolves.toBe('answer')
})

test('can settle after its time is up, as long as it is not called over', async () => {
  let seen: AbortSignal | undefined
  await withDeadline({ ms: 1, createError }, async (signal) => {
    seen = signal
    // The first turn after its timer.
    await new Promise<void>((resolve) => setTimeout(() => setImmediate(resolve), 1))
  })
  // It would be aborted in the next.
  for (let turns = 0; turns < 3; turns += 1) await new Promise<void>((resolve) => setImmediate(resolve))
  expect(seen?.aborted).toBe(false)
})

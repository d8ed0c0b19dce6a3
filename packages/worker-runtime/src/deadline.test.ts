import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startDeadline } from './deadline.js'

/** Busy until then: nothing of the event loop runs, as in a process that is suspended. */
function suspend(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}

test('what has arrived while the process was suspended is read before its time is called over', async () => {
  const server = createServer((socket) => socket.end('answer')).listen(0, '127.0.0.1')
  onTestFinished(() => void server.close())
  await once(server, 'listening')
  const outcome = await new Promise((resolve) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => {
      // The kernel has taken the connection; the server answers in the turn in which the time is up.
      const deadline = startDeadline(20, () => resolve('over'))
      socket.once('data', (data) => {
        deadline.clear()
        resolve(String(data))
      })
      suspend(60)
    })
  })
  expect(outcome).toBe('answer')
})

test('is over when nothing arrives, and not when it was cleared', async () => {
  const calls: string[] = []
  const cleared = startDeadline(1, () => calls.push('cleared'))
  cleared.clear()
  await new Promise<void>((resolve) => {
    startDeadline(10, () => {
      calls.push('over')
      resolve()
    })
  })
  expect(calls).toEqual(['over'])
})

test('can be cleared after its time is up, as long as it is not called over', async () => {
  const calls: string[] = []
  const deadline = startDeadline(1, () => calls.push('over'))
  // The first turn after its timer.
  await new Promise<void>((resolve) => setTimeout(() => setImmediate(resolve), 1))
  deadline.clear()
  // It would be called in the next.
  for (let turns = 0; turns < 3; turns += 1) await new Promise<void>((resolve) => setImmediate(resolve))
  expect(calls).toEqual([])
})

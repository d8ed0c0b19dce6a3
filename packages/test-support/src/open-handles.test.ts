import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { watchHandles } from './open-handles.js'

const soon = { graceMs: 60 }

test('a timer that is still running is reported with the place that started it', async () => {
  const handles = watchHandles()
  const timer = setTimeout(() => undefined, 60_000)
  onTestFinished(() => clearTimeout(timer))
  await expect(handles.assertAllClosed(soon)).rejects.toThrow(
    /1 handle\(s\) still open[\s\S]*timer opened at .*open-handles\.test\.ts:/,
  )
})

test('an interval is reported although it fires meanwhile', async () => {
  const handles = watchHandles()
  const timer = setInterval(() => undefined, 1)
  onTestFinished(() => clearInterval(timer))
  await expect(handles.assertAllClosed(soon)).rejects.toThrow('timer opened at')
})

test('a listening server and both ends of its connection are reported', async () => {
  const handles = watchHandles()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  const [accepted] = await once(server, 'connection')
  onTestFinished(() => {
    client.destroy()
    accepted.destroy()
    server.close()
  })
  await expect(handles.assertAllClosed(soon)).rejects.toThrow(/3 handle\(s\)/)
})

test('what is closed, cleared, fired or does not keep the process alive is not reported', async () => {
  const handles = watchHandles()
  clearTimeout(setTimeout(() => undefined, 60_000))
  await sleep(1)
  const unrefd = setTimeout(() => undefined, 60_000).unref()
  onTestFinished(() => clearTimeout(unrefd))
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  const client = connect(port, '127.0.0.1')
  const [accepted] = await once(server, 'connection')
  client.destroy()
  accepted.destroy()
  server.close()
  await handles.assertAllClosed()
})

test('what closes within the grace time is not reported', async () => {
  const handles = watchHandles()
  setTimeout(() => undefined, 30)
  await handles.assertAllClosed()
})

test('what was open before the watch is not reported', async () => {
  const timer = setTimeout(() => undefined, 60_000)
  onTestFinished(() => clearTimeout(timer))
  await watchHandles().assertAllClosed(soon)
})

test('timers of the test runner itself are not reported', async () => {
  const handles = watchHandles()
  const waiting = vi.waitFor(() => Promise.reject(new Error('not yet')), { timeout: 300 }).catch(() => 'given up')
  await handles.assertAllClosed(soon)
  expect(await waiting).toBe('given up')
})

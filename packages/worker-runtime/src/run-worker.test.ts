import { createServer } from 'node:net'
import type { MessageQueue } from '@mono/message-queue'
import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createFakeHost } from '../test/support/fake-host.js'
import { createFakeMessageQueue } from '../test/support/fake-message-queue.js'
import { recordLogs } from '../test/support/record-logs.js'
import { readEnv } from './read-env.js'
import { type RunWorkerOptions, runWorker } from './run-worker.js'
import { type WorkerEnv, workerEnv } from './worker-env.js'

/** Nothing listens on port 1. */
const good = { RABBITMQ_URL: 'amqp://u:p@127.0.0.1:1', DATABASE_URL: 'postgres://u:p@127.0.0.1:1/x', HTTP_PORT: '0' }

function run(source: Record<string, string>, options: Partial<RunWorkerOptions<WorkerEnv>> = {}) {
  const host = createFakeHost()
  const logs = recordLogs()
  let starts = 0
  const ended = runWorker(
    {
      name: 'audit-worker',
      schema: 'audit',
      probeTable: 'audit.events',
      readEnv: () => readEnv(workerEnv({ httpPort: 9104 }), source),
      start() {
        starts += 1
        throw new Error('The database is away, so start must not be called')
      },
      ...options,
    },
    {
      host,
      createLogger: () => logs.logger,
      createMessageQueue: () => createFakeMessageQueue() as unknown as MessageQueue,
    },
  )
  const port = () => waitFor(() => logs.find('Health server is listening')?.port as number, { what: 'the port' })
  return { host, logs, ended, port, starts: () => starts }
}

describe('a worker', () => {
  test('with faults in its environment prints them all and ends with 1, before anything is opened', async () => {
    const { host, logs, ended } = run({ ...good, DATABASE_URL: 'hunter2', TOPOLOGY: 'maybe' })
    await ended
    expect(host.printed).toHaveLength(1)
    expect(host.printed[0]).toMatch(/The environment has 2 faults:\n {2}.*\n {2}.*/)
    expect(host.printed[0]).not.toContain('hunter2')
    expect(host.exitCode).toBe(1)
    expect(host.listenerCount).toBe(0)
    expect(logs.records).toEqual([])
  })

  test('whose database is away is alive, not ready, says so once, and waits', async () => {
    const { host, logs, ended, port, starts } = run(good)
    const url = `http://127.0.0.1:${await port()}`
    await waitFor(() => logs.find('Database cannot be reached'), { what: 'the log line' })
    expect((await fetch(`${url}/livez`)).status).toBe(200)
    const response = await fetch(`${url}/readyz`)
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({
      status: 'not ready',
      worker: 'audit-worker',
      state: 'waiting',
      checks: { consumer: { state: 'not started' }, database: { state: 'down', error: expect.any(String) } },
    })
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('mono_ready{worker="audit-worker"} 0')
    host.signals.emit('SIGTERM')
    await ended
    expect(logs.count('Database cannot be reached')).toBe(1)
    expect(starts()).toBe(0)
  })

  test('stops with 0 while it waits, and leaves no listener', async () => {
    const { host, logs, ended, port } = run(good)
    await port()
    expect(host.listenerCount).toBe(4)
    host.signals.emit('SIGTERM')
    await ended
    expect(host.exitCode).toBe(0)
    expect(host.listenerCount).toBe(0)
    expect(logs.records.filter(({ level }) => level === 'fatal')).toEqual([])
    expect(logs.records.at(-1)).toMatchObject({ msg: 'Worker state changed', state: 'stopped' })
  })

  test('whose port is taken says which and ends with 1', async ({ cleanUp }) => {
    const other = createServer().listen(0)
    cleanUp(() => new Promise((resolve) => other.close(resolve)))
    const { port } = other.address() as { port: number }
    const { host, logs, ended } = run({ ...good, HTTP_PORT: String(port) })
    await ended
    expect(host.exitCode).toBe(1)
    expect(logs.find('The worker could not start')).toMatchObject({
      level: 'fatal',
      err: { message: expect.stringContaining(`needs port ${port}, but another process listens on it`) },
    })
    expect(logs.records.at(-1)).toMatchObject({ state: 'failed' })
  })

  test('ends at once with 1 on a second signal', async () => {
    const { host, ended, port } = run(good)
    await port()
    host.signals.emit('SIGTERM')
    host.signals.emit('SIGTERM')
    expect(host.exits).toEqual([1])
    await ended
  })

  test('with an uncaught error stops gracefully and ends with 1', async () => {
    const { host, logs, ended, port } = run(good)
    await port()
    host.signals.emit('uncaughtException', new Error('boom'))
    await ended
    expect(host.exitCode).toBe(1)
    expect(host.exits).toEqual([])
    expect(logs.find('Uncaught exception')).toMatchObject({ level: 'fatal', err: { message: 'boom' } })
  })
})

import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createFakeConsumer } from '../test/support/fake-consumer.js'
import { createFakeMessageQueue } from '../test/support/fake-message-queue.js'
import { recordLogs } from '../test/support/record-logs.js'
import type { DatabaseStatus } from './database-status.js'
import { watchReadiness } from './readiness-watch.js'
import { createWorkerState } from './worker-state.js'

function create({ intervalMs = 60_000 } = {}) {
  const logs = recordLogs()
  const state = createWorkerState(logs.logger)
  const consumer = Object.assign(createFakeConsumer(), { state: 'connecting' as 'connecting' | 'consuming' })
  const database = { state: 'up' } as DatabaseStatus
  const sources = { messageQueue: createFakeMessageQueue(), consumer, database, breakers: {} }
  const watch = watchReadiness({ worker: 'w', state, logger: logs.logger, sources: () => sources, intervalMs })
  state.change('waiting')
  return { logs, state, sources, consumer, watch }
}

describe('the readiness watch', () => {
  test('makes the worker running when its consumer consumes for the first time', ({ cleanUp }) => {
    const { state, consumer, watch } = create()
    cleanUp(watch.stop)
    expect(watch.report()).toMatchObject({ status: 'not ready', state: 'waiting' })
    consumer.state = 'consuming'
    expect(watch.report()).toMatchObject({ status: 'ready', state: 'running' })
    consumer.state = 'connecting'
    expect(watch.report()).toMatchObject({ status: 'not ready', state: 'running' })
    expect(state.current).toBe('running')
  })

  test('looks by itself when nobody asks', async ({ cleanUp }) => {
    const { state, consumer, watch } = create({ intervalMs: 5 })
    cleanUp(watch.stop)
    consumer.state = 'consuming'
    await waitFor(() => state.current === 'running', { what: 'the worker to run', intervalMs: 5 })
  })

  test('logs each change with the checks that explain it, and nothing in between', ({ cleanUp }) => {
    const { logs, consumer, sources, watch } = create()
    cleanUp(watch.stop)
    consumer.state = 'consuming'
    watch.report()
    watch.report()
    sources.database = { state: 'down', error: 'connect ECONNREFUSED' }
    watch.report()
    watch.report()
    expect(logs.count('Worker is ready')).toBe(1)
    expect(logs.count('Worker is not ready')).toBe(1)
    expect(logs.find('Worker is not ready')).toMatchObject({
      level: 'warn',
      checks: { database: { state: 'down', error: 'connect ECONNREFUSED' } },
    })
  })
})

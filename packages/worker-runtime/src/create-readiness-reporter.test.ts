import { expect, test } from 'vitest'
import { createFakeConsumer } from '../test/support/fake-consumer.js'
import { createFakeMessageQueue } from '../test/support/fake-message-queue.js'
import { recordLogs } from '../test/support/record-logs.js'
import { createReadinessReporter } from './create-readiness-reporter.js'
import type { ReadinessSources } from './readiness.js'

test('reports log each change with the checks that explain it, and nothing in between', () => {
  const logs = recordLogs()
  const sources: ReadinessSources = {
    worker: 'w',
    state: 'running',
    messageQueue: createFakeMessageQueue(),
    consumer: createFakeConsumer(),
    database: { state: 'up' },
    breakers: {},
  }
  const report = createReadinessReporter({ sources: () => sources, logger: logs.logger })
  expect(report().status).toBe('ready')
  report()
  sources.database = { state: 'down', error: 'connect ECONNREFUSED' }
  expect(report().status).toBe('not ready')
  report()
  expect(logs.count('Worker is ready')).toBe(1)
  expect(logs.count('Worker is not ready')).toBe(1)
  expect(logs.find('Worker is not ready')).toMatchObject({
    level: 'warn',
    checks: { database: { state: 'down', error: 'connect ECONNREFUSED' } },
  })
})

test('a worker that is not ready yet, or stops, is no warning', () => {
  const logs = recordLogs()
  const sources: ReadinessSources = {
    worker: 'w',
    state: 'waiting',
    messageQueue: createFakeMessageQueue(),
    consumer: createFakeConsumer(),
    database: { state: 'up' },
    breakers: {},
  }
  const report = createReadinessReporter({ sources: () => sources, logger: logs.logger })
  report()
  expect(logs.records).toEqual([])
  sources.state = 'running'
  report()
  sources.state = 'draining'
  report()
  expect(logs.records.map(({ level, msg }) => `${level}: ${msg}`)).toEqual([
    'info: Worker is ready',
    'info: Worker is not ready',
  ])
})

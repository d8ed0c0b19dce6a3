import { expect, test } from 'vitest'
import { createFakeConsumer } from '../test/support/fake-consumer.js'
import { recordLogs } from '../test/support/record-logs.js'
import { followConsumer } from './follow-consumer.js'
import { createWorkerState } from './worker-state.js'

function create(consumerState: 'connecting' | 'consuming' | 'standby') {
  const logs = recordLogs()
  const workerState = createWorkerState(logs.logger)
  workerState.change('waiting')
  const consumer = createFakeConsumer()
  consumer.state = consumerState
  const changes: string[] = []
  followConsumer({
    consumer,
    workerState,
    onChange: () => changes.push(`${workerState.current}, ${consumer.state}`),
  })
  return { logs, workerState, consumer, changes }
}

test('a worker runs as soon as its consumer consumes, and goes on when that is lost', () => {
  const { logs, consumer, changes } = create('connecting')
  consumer.state = 'consuming'
  consumer.state = 'connecting'
  consumer.state = 'consuming'
  expect(changes).toEqual(['waiting, connecting', 'running, consuming', 'running, connecting', 'running, consuming'])
  expect(logs.records.filter(({ state }) => state === 'running')).toHaveLength(1)
})

test.each(['consuming', 'standby'] as const)('a worker whose consumer is %s already runs at once', (state) => {
  expect(create(state).changes).toEqual([`running, ${state}`])
})

test('a worker that stops does not run any more because its consumer has come', () => {
  const { workerState, consumer } = create('connecting')
  workerState.change('draining')
  consumer.state = 'consuming'
  expect(workerState.current).toBe('draining')
})

import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { type ConsumerState, DeferError } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'

test('a consumer tells its listeners of every change of state, in order, until they unsubscribe, whatever one throws', async ({
  vhost,
  cleanUp,
}) => {
  const consumer = await openMessageQueue({ vhost, cleanUp }).consumeMessages('audit.events', async () => {})
  const states: ConsumerState[] = []
  const firstStates: ConsumerState[] = []
  consumer.onState(() => {
    throw new Error('a listener that fails')
  })
  consumer.onState((state) => states.push(state))
  const unsubscribe = consumer.onState((state) => firstStates.push(state))
  consumer.pause(new DeferError('The database is away', { code: 'DATABASE_UNAVAILABLE' }))
  unsubscribe()
  consumer.resume()
  await waitFor(() => consumer.state === 'consuming', { what: 'the consumer to consume again' })
  await consumer.drain()
  expect(states).toEqual(['paused', 'connecting', 'consuming', 'draining', 'stopped'])
  expect(firstStates).toEqual(['paused'])
})

import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'

test('an event that happened long before it was published does not expire', async ({ vhost, cleanUp }) => {
  await vhost.importDefinitions()
  const routingKeys: string[] = []
  await openMessageQueue({ vhost, cleanUp }).consumeMessages('audit.events', async ({ routingKey }) => {
    routingKeys.push(routingKey)
  })
  const timestamp = Math.floor(Date.now() / 1_000) - 30 * 24 * 60 * 60
  await vhost.publish('audit', 'audit.compliance', examples['audit.event'], { messageId: 'm1', timestamp })
  await waitFor(() => routingKeys.length === 1, { what: 'the event' })
  expect(routingKeys).toEqual(['audit.compliance'])
})

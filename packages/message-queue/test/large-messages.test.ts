import { examples } from '@mono/contracts'
import { printNumbers, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'
import { createGate } from './support/create-gate.js'

const count = 100
const padding = 'x'.repeat(1_000_000)

test('of large messages no more are taken than fit into memory, whatever the prefetch', async ({ vhost, cleanUp }) => {
  await vhost.importDefinitions()
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  for (let index = 0; index < count; index += 1) {
    const event = { ...examples['audit.event'], changes: { padding } }
    await vhost.publish('audit', 'audit.track', event, { messageId: `event-${index}` })
  }
  const gate = createGate()
  const handled = new Set<string>()
  const batches: number[] = []
  const consumer = await messageQueue.consumeBatches(
    'audit.events',
    async (messages) => {
      batches.push(messages.length)
      await gate.opened
      for (const { messageId } of messages) handled.add(messageId)
    },
    { size: 500, prefetch: 1_000 },
  )
  await waitFor(() => consumer.inFlight > 7, { what: 'as many as fit', timeoutMs: 30_000 })
  // The broker counts as ready whatever the prefetch does not admit.
  const left = await vhost.countMessages('audit.events')
  gate.open()
  await waitFor(() => handled.size === count, { what: 'all to be handled', timeoutMs: 30_000 })
  printNumbers('large messages', { count, left, largestBatch: Math.max(...batches) })
  expect(left).toBeGreaterThan(85)
  expect(Math.max(...batches)).toBeLessThan(7)
})

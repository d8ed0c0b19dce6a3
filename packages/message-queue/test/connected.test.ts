import { setImmediate } from 'node:timers/promises'
import { examples } from '@mono/contracts'
import { createTcpProxy, type TestFixtures, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { DeferError, type MessageQueue, RetryableError } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'
import { createGate } from './support/create-gate.js'

const untilConnected = (messageQueue: MessageQueue, expected: boolean) =>
  waitFor(() => messageQueue.connected === expected, { what: `connected to be ${expected}` })

/** With a broker that can be taken away. */
async function openThroughProxy({ vhost, cleanUp }: Pick<TestFixtures, 'vhost' | 'cleanUp'>) {
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  return { proxy, messageQueue: openMessageQueue({ vhost, cleanUp }, { url: proxy.url(vhost.url) }) }
}

describe('a client that only consumes is connected', () => {
  test('from the registration of its consumer to the end of it', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    expect(messageQueue.connected).toBe(false)
    const consumer = await messageQueue.consumeMessages('audit.events', async () => {})
    expect(messageQueue.connected).toBe(true)
    await consumer.drain()
    expect(messageQueue.connected).toBe(false)
  })

  test('while the broker is there', async ({ vhost, cleanUp }) => {
    const { proxy, messageQueue } = await openThroughProxy({ vhost, cleanUp })
    await messageQueue.consumeMessages('audit.events', async () => {})
    await proxy.down()
    await untilConnected(messageQueue, false)
    await proxy.up()
    await untilConnected(messageQueue, true)
  })

  test('while it is paused: the connection is kept', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const consumer = await messageQueue.consumeMessages('audit.events', async () => {})
    consumer.pause(new DeferError('The database is away', { code: 'DATABASE_UNAVAILABLE' }))
    expect(messageQueue.connected).toBe(true)
    await vhost.closeConnections()
    await untilConnected(messageQueue, false)
    await untilConnected(messageQueue, true)
    expect(consumer.state).toBe('paused')
  })
})

describe('a client that sends and consumes is connected', () => {
  test('only while both can reach the broker', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await messageQueue.consumeMessages('audit.events', async () => {})
    await messageQueue.connect()
    expect(messageQueue.connected).toBe(true)
    // The broker lets in nobody else: the consumer's connection cannot come back.
    await vhost.limitConnections(1)
    const [closed, ...others] = await vhost.closeConnections({ atLeast: 2, named: /audit\.events/ })
    expect([closed, others]).toEqual([expect.stringContaining('audit.events'), []])
    await untilConnected(messageQueue, false)
    await messageQueue.sendAuditEvent(examples['audit.event'])
    expect(messageQueue.connected).toBe(false)
    await vhost.limitConnections(-1)
    await untilConnected(messageQueue, true)
  })

  test('without a consumer that was drained, or that has failed', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await vhost.withChannel((channel) => channel.assertQueue('push.notifications'))
    await expect(messageQueue.consumeMessages('push.notifications', async () => {})).rejects.toMatchObject({
      code: 'TOPOLOGY_MISMATCH',
    })
    expect(messageQueue.connected).toBe(false)
    await messageQueue.connect()
    await (await messageQueue.consumeMessages('audit.events', async () => {})).drain()
    expect(messageQueue.connected).toBe(true)
  })

  test('all the while that a consumer of it disconnects', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await messageQueue.connect()
    const consumer = await messageQueue.consumeMessages('audit.events', async () => {})
    let isDrained = false
    const draining = consumer.drain().then(() => {
      isDrained = true
    })
    const seen = new Set<boolean>()
    while (!isDrained) {
      seen.add(messageQueue.connected)
      await setImmediate()
    }
    await draining
    expect([...seen]).toEqual([true])
  })

  test('while a retry is sent, too, if there is a connection for it', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const gate = createGate()
    const settled: string[] = []
    const handler = async () => {
      await gate.opened
      throw new RetryableError('not yet')
    }
    await messageQueue.consumeMessages('audit.events', handler, {
      onSettled: ({ outcome }) => settled.push(outcome),
    })
    await messageQueue.sendAuditEvent(examples['audit.event'])
    await vhost.limitConnections(2)
    gate.open()
    await untilConnected(messageQueue, false)
    expect(settled).toEqual([])
    await vhost.limitConnections(-1)
    await untilConnected(messageQueue, true)
    await waitFor(() => settled.length === 1, { what: 'the retry' })
    expect(settled).toEqual(['retried'])
  })
})

test.for(['drain', 'close'] as const)('a client is not connected after %s', async (end, { vhost, cleanUp }) => {
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  await messageQueue.consumeMessages('audit.events', async () => {})
  await messageQueue.connect()
  expect(messageQueue.connected).toBe(true)
  const ended = messageQueue[end]()
  if (end === 'close') expect(messageQueue.connected).toBe(false)
  await ended
  expect(messageQueue.connected).toBe(false)
})

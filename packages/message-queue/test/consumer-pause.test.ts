import { examples } from '@mono/contracts'
import { createRecordingLogger, type TestVhost, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { DeferError, type SettledEvent } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'
import { createGate } from './support/create-gate.js'
import { watchChannels } from './support/watch-channels.js'

const event = examples['audit.event']
const reason = new DeferError('The database is away', { code: 'DATABASE_UNAVAILABLE' })

async function consumersOf(vhost: TestVhost): Promise<number> {
  return await vhost.withChannel(async (channel) => (await channel.checkQueue('audit.events')).consumerCount)
}

describe('a consumer that is paused', () => {
  test('takes nothing, goes on with what it holds, keeps its connection, and takes again when it is resumed', async ({
    vhost,
    cleanUp,
  }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const gate = createGate()
    const settled: SettledEvent[] = []
    let handled = 0
    const consumer = await messageQueue.consumeMessages(
      'audit.events',
      async () => {
        handled += 1
        if (handled === 1) await gate.opened
      },
      { onSettled: (settledEvent) => settled.push(settledEvent) },
    )
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => handled === 1, { what: 'the first message' })
    consumer.pause(reason)
    expect(consumer.state).toBe('paused')
    gate.open()
    await waitFor(() => settled.length === 1, { what: 'the first message to be settled' })
    expect(settled[0]).toMatchObject({ outcome: 'acked' })
    await waitFor(async () => (await consumersOf(vhost)) === 0, { what: 'the broker to have no consumer' })
    for (let n = 0; n < 50; n += 1) await vhost.publish('audit', 'audit.track', event, { messageId: `m${n}` })
    expect(await vhost.countMessages('audit.events')).toBe(50)
    expect(settled).toHaveLength(1)

    consumer.resume()
    await waitFor(() => settled.length === 51, { what: 'all messages' })
    expect(consumer.state).toBe('consuming')
    expect(consumer.mode).toBe('normal')
    expect(settled.every(({ outcome }) => outcome === 'acked')).toBe(true)
    expect(await vhost.countMessages('audit.events.dlq')).toBe(0)
  })

  test('stays paused when its connection is lost, and can be resumed and drained after it', async ({
    vhost,
    cleanUp,
  }) => {
    const channels = await watchChannels({ vhost, cleanUp })
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    let handled = 0
    const consumer = await messageQueue.consumeMessages('audit.events', async () => {
      handled += 1
    })
    consumer.pause(reason)
    await vhost.closeConnections()
    await waitFor(() => channels.attempts > 1, { what: 'a new channel to consume on', timeoutMs: 20_000 })
    await vhost.publish('audit', 'audit.track', event)
    expect(consumer.state).toBe('paused')
    expect(await consumersOf(vhost)).toBe(0)
    expect(await vhost.countMessages('audit.events')).toBe(1)
    consumer.resume()
    await waitFor(() => handled === 1, { what: 'the message' })
    consumer.pause(reason)
    await consumer.drain()
    expect(consumer.state).toBe('stopped')
  })

  test('defers what the broker had sent and no handler has seen, once each', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const settled: SettledEvent[] = []
    const batches: number[] = []
    const consumer = await messageQueue.consumeBatches(
      'audit.events',
      async (messages) => {
        batches.push(messages.length)
      },
      { size: 50, maxWaitMs: 60_000, onSettled: (settledEvent) => settled.push(settledEvent) },
    )
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => settled.length === 1, { what: 'the first message, which has a batch of its own' })
    for (let n = 0; n < 40; n += 1) await vhost.publish('audit', 'audit.track', event, { messageId: `m${n}` })
    await waitFor(() => consumer.inFlight === 40, { what: 'an incomplete batch in flight' })
    consumer.pause(reason)
    await waitFor(() => consumer.inFlight === 0, { what: 'nothing in flight' })
    expect(batches).toEqual([1])
    expect(settled.filter(({ outcome }) => outcome === 'deferred')).toHaveLength(40)
    expect(settled.every(({ outcome, code }) => outcome === 'acked' || code === reason.code)).toBe(true)
    expect(await vhost.countMessages('audit.events.retry.10s')).toBe(40)
  })

  test('that is paused again for what its trial has found has not taken another one meanwhile', async ({
    vhost,
    cleanUp,
  }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const settled: SettledEvent[] = []
    let handled = 0
    const consumer = await messageQueue.consumeMessages(
      'audit.events',
      async () => {
        handled += 1
        throw reason
      },
      {
        onSettled(settledEvent) {
          settled.push(settledEvent)
          consumer.pause(reason)
        },
      },
    )
    consumer.pause(reason)
    await waitFor(async () => (await consumersOf(vhost)) === 0, { what: 'the broker to have no consumer' })
    for (let n = 0; n < 5; n += 1) await vhost.publish('audit', 'audit.track', event, { messageId: `m${n}` })
    consumer.resume()
    expect(consumer.mode).toBe('trial')
    await waitFor(() => settled.length > 0, { what: 'the trial to fail' })
    await waitFor(async () => (await vhost.countMessages('audit.events')) === 4, { what: 'the others in the queue' })
    expect(await consumersOf(vhost)).toBe(0)
    expect(handled).toBe(1)
    expect(settled).toHaveLength(1)
    const next = await vhost.get('audit.events')
    expect(next?.headers['x-delivery-count'] ?? 0).toBe(0)
  })

  test('that is closed in a trial does not take the handler that it aborts for one that is done', async ({
    vhost,
    cleanUp,
  }) => {
    const logger = createRecordingLogger()
    const messageQueue = openMessageQueue({ vhost, cleanUp }, { logger })
    const untilAborted = (_message: unknown, { signal }: { signal: AbortSignal }) =>
      new Promise<void>((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      })
    const consumer = await messageQueue.consumeMessages('audit.events', untilAborted)
    consumer.pause(reason)
    consumer.resume()
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => consumer.inFlight === 1, { what: 'the message in flight' })
    await consumer.close()
    expect(consumer.mode).toBe('trial')
    const modes = logger.lines.filter(({ message }) => message === 'Consumer mode changed').map(({ data }) => data.mode)
    expect(modes).toEqual(['trial'])
  })
})

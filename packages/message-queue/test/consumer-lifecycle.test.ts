import { setTimeout as sleep } from 'node:timers/promises'
import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createMessageQueue, RetryableError, type SettledEvent, TopologyMismatchError } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'
import { createGate } from './support/create-gate.js'

const event = examples['audit.event']

describe('a consumer', () => {
  test('finishes what it holds when it is drained, and takes no more', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const gates = [createGate(), createGate(), createGate()]
    const settled: SettledEvent[] = []
    let handled = 0
    const consumer = await messageQueue.consumeMessages('audit.events', async () => await gates[handled++]?.opened, {
      prefetch: 2,
      onSettled: (settledEvent) => settled.push(settledEvent),
    })
    for (let n = 0; n < 6; n += 1) await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => consumer.inFlight === 1 + 2, { what: 'the first and two more messages in flight' })
    const drained = consumer.drain()
    expect(consumer.state).toBe('draining')
    // There would be room for another one, and the broker has time to send it while it is asked something else.
    gates[1]?.open()
    await waitFor(() => settled.length > 0, { what: 'the first ack' })
    await vhost.publish('audit', 'audit.track', event)
    await vhost.countMessages('audit.events')
    for (const gate of gates) gate.open()
    await drained
    await consumer.stopped
    expect(consumer.state).toBe('stopped')
    // Nothing was handed back: nothing more had come.
    expect(settled.map(({ outcome }) => outcome)).toEqual(['acked', 'acked', 'acked'])
    await waitFor(async () => (await vhost.countMessages('audit.events')) === 4, { what: 'the rest in the queue' })
  })

  test('hands back what was on its way to it when it is drained', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    await (await messageQueue.consumeMessages('audit.events', async () => {})).drain()
    for (let n = 0; n < 20; n += 1) await vhost.publish('audit', 'audit.track', event)
    let handled = 0
    let drained: Promise<void> | undefined
    const consumer = await messageQueue.consumeMessages('audit.events', async () => {
      handled += 1
      // The first comes alone; with the second come as many as the prefetch admits.
      if (handled === 2) drained = consumer.drain()
    })
    await consumer.stopped
    await drained
    expect(handled).toBe(2)
    await waitFor(async () => (await vhost.countMessages('audit.events')) === 18, { what: 'the rest in the queue' })
  })

  test('finishes what takes longer than the broker is given to say goodbye', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const settled: SettledEvent[] = []
    const consumer = await messageQueue.consumeMessages('audit.events', async () => await sleep(5_000), {
      onSettled: (settledEvent) => settled.push(settledEvent),
    })
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => consumer.inFlight === 1, { what: 'the message in flight' })
    await consumer.drain()
    expect(settled).toMatchObject([{ outcome: 'acked' }])
    expect(await vhost.countMessages('audit.events')).toBe(0)
  })

  test('that is drained right after many acks leaves none of these messages in the queue', async ({
    vhost,
    cleanUp,
  }) => {
    const count = 300
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const settled: SettledEvent[] = []
    const gate = createGate()
    const consumer = await messageQueue.consumeBatches('audit.events', () => gate.opened, {
      prefetch: 2 * count,
      size: count,
      maxWaitMs: 10_000,
      onSettled: (settledEvent) => settled.push(settledEvent),
    })
    const sending = openMessageQueue({ vhost, cleanUp })
    await Promise.all(Array.from({ length: count }, () => sending.sendAuditEvent(event)))
    await waitFor(() => consumer.inFlight === count, { what: 'all messages in flight' })
    const drained = consumer.drain()
    // The broker is asked to send no more; once it has agreed, the channel is closed as soon as nothing is in flight.
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    gate.open()
    await drained
    expect(settled.filter(({ outcome }) => outcome === 'acked')).toHaveLength(count)
    // Confirmed, so the broker has dealt with the end of the consumer's channel before it.
    await vhost.publish('audit', 'audit.track', event)
    expect(await vhost.countMessages('audit.events')).toBe(1)
  })

  test('hands back what is not settled when it is closed', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const aborted: unknown[] = []
    const consumer = await messageQueue.consumeMessages(
      'audit.events',
      (_message, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted.push(signal.reason)
            reject(signal.reason)
          })
        }),
      { prefetch: 3 },
    )
    for (let n = 0; n < 5; n += 1) await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => consumer.inFlight === 1 + 3, { what: 'the first and three more messages in flight' })
    await consumer.close()
    expect(aborted).toHaveLength(4)
    expect(consumer.inFlight).toBe(0)
    await waitFor(async () => (await vhost.countMessages('audit.events')) === 5, { what: 'all five in the queue' })
    expect(await vhost.countMessages('audit.events.dlq')).toBe(0)
  })

  test('ends a drain that waits for a handler when it is closed', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const consumer = await messageQueue.consumeMessages('audit.events', () => new Promise(() => {}))
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => consumer.inFlight === 1, { what: 'the message in flight' })
    const drained = consumer.drain()
    await consumer.close()
    await drained
    await waitFor(async () => (await vhost.countMessages('audit.events')) === 1, { what: 'the message in the queue' })
  })

  test('is closed in the middle of a drain, with the connection open over which it has forwarded', async ({
    vhost,
    cleanUp,
  }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const settled: SettledEvent[] = []
    const consumer = await messageQueue.consumeMessages(
      'audit.events',
      async ({ messageId }) => {
        if (messageId === 'retried') throw new RetryableError('not yet')
        await new Promise(() => {})
      },
      { onSettled: (settledEvent) => settled.push(settledEvent) },
    )
    await vhost.publish('audit', 'audit.track', event, { messageId: 'retried' })
    await waitFor(() => settled.length === 1, { what: 'the retry' })
    await vhost.publish('audit', 'audit.track', event, { messageId: 'endless' })
    await waitFor(() => consumer.inFlight === 1, { what: 'the message in flight' })
    const drained = consumer.drain()
    await consumer.close()
    await drained
    expect(settled.map(({ outcome }) => outcome)).toEqual(['retried', 'returned'])
  })

  test('consumes again after its connections are closed by the broker', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    let handled = 0
    const consumer = await messageQueue.consumeMessages('audit.events', async () => {
      handled += 1
    })
    await vhost.closeConnections()
    await waitFor(() => consumer.state === 'connecting', { what: 'the loss to be noticed' })
    await waitFor(() => consumer.state === 'consuming', { what: 'the consumer to be back' })
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => handled === 1, { what: 'the message' })
  })

  test('declares its queue again when it is deleted', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    let handled = 0
    const consumer = await messageQueue.consumeMessages('audit.events', async () => {
      handled += 1
    })
    await vhost.withChannel((channel) => channel.deleteQueue('audit.events'))
    await waitFor(() => consumer.state === 'connecting', { what: 'the loss to be noticed' })
    await waitFor(() => consumer.state === 'consuming', { what: 'the consumer to be back' })
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => handled === 1, { what: 'the message' })
  })

  test('fails with the argument that differs when its queue exists otherwise', async ({ vhost, cleanUp }) => {
    await vhost.withChannel((channel) =>
      channel.assertQueue('audit.events', {
        durable: true,
        arguments: { 'x-queue-type': 'quorum', 'x-max-length': 7 },
      }),
    )
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const failure = await messageQueue.consumeMessages('audit.events', async () => {}).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(TopologyMismatchError)
    expect(failure).toMatchObject({ queue: 'audit.events', code: 'TOPOLOGY_MISMATCH' })
    const lastError = (failure as Error).message
    expect(messageQueue.health().consumers).toEqual([
      { queue: 'audit.events', state: 'failed', inFlight: 0, lastError },
    ])
  })

  test('waits for a broker that is not there, and can be closed meanwhile', async ({ cleanUp }) => {
    const messageQueue = createMessageQueue({ url: 'amqp://localhost:1/none' })
    cleanUp(() => messageQueue.close())
    const consuming = messageQueue.consumeMessages('audit.events', async () => {})
    const refused = expect(consuming).rejects.toThrow(/closed before the broker was there/)
    await waitFor(() => messageQueue.health().consumers[0]?.lastError, { what: 'the consumer to have tried' })
    const lastError = expect.stringContaining('ECONNREFUSED')
    expect(messageQueue.health().consumers).toEqual([
      { queue: 'audit.events', state: 'connecting', inFlight: 0, lastError },
    ])
    await messageQueue.close()
    await refused
  })

  test('checks shared exchanges rather than declaring them with topology check', async ({ vhost, cleanUp }) => {
    const checking = openMessageQueue({ vhost, cleanUp }, { topology: 'check' })
    const waiting = checking.consumeMessages('audit.events', async () => {})
    await vhost.withChannel((channel) => channel.assertExchange('audit', 'topic', { durable: true }))
    await vhost.withChannel((channel) => channel.assertExchange('dead-letter', 'topic', { durable: true }))
    expect((await waiting).state).toBe('consuming')
  })
})

describe('consumeBatches', () => {
  test('hands over batches and settles each message by itself', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const sizes: number[] = []
    const settled: SettledEvent[] = []
    await messageQueue.consumeBatches(
      'audit.events',
      async (messages) => {
        sizes.push(messages.length)
        return new Map(
          messages.filter(({ messageId }) => messageId === 'm3').map((message) => [message, new TypeError('bad one')]),
        )
      },
      { size: 5, maxWaitMs: 100, onSettled: (settledEvent) => settled.push(settledEvent) },
    )
    for (let n = 0; n < 7; n += 1) await vhost.publish('audit', 'audit.track', event, { messageId: `m${n}` })
    await waitFor(() => settled.length === 7, { what: 'seven settlements' })
    expect(sizes.reduce((sum, size) => sum + size)).toBe(7)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(5)
    expect(settled.filter(({ outcome }) => outcome === 'dead-lettered')).toHaveLength(1)
    const [letter] = await vhost.drainQueue('audit.events.dlq', 1)
    expect(letter?.properties.messageId).toBe('m3')
  })
})

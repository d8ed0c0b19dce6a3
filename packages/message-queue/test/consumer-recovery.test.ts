import { examples } from '@mono/contracts'
import { createRecordingLogger, createTcpProxy, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { RetryableError, type SettledEvent } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'
import { createGate } from './support/create-gate.js'
import { watchChannels } from './support/watch-channels.js'

const event = examples['audit.event']

describe('a consumer', () => {
  test.for(['queue', 'connection'] as const)(
    'whose %s is lost just before it registers for the first time, registers once it is there again',
    async (what, { vhost, cleanUp }) => {
      let losses = 0
      const lose = async () => {
        losses += 1
        if (what === 'connection') await vhost.closeConnections()
        else await vhost.withChannel((channel) => channel.deleteQueue('audit.events'))
      }
      await watchChannels({ vhost, cleanUp }, { beforeFirstConsume: lose })
      const messageQueue = openMessageQueue({ vhost, cleanUp })
      let handled = 0
      const handler = async () => {
        handled += 1
      }
      // With one at a time it stays registered as it is.
      const consumer = await messageQueue.consumeMessages('audit.events', handler, { prefetch: 1 })
      expect(losses).toBe(1)
      await vhost.publish('audit', 'audit.track', event)
      await waitFor(() => handled === 1, { what: 'the message' })
      await waitFor(() => consumer.state === 'consuming', { what: 'the consumer to be registered' })
      const { consumerCount } = await vhost.withChannel((channel) => channel.checkQueue('audit.events'))
      expect(consumerCount).toBe(1)
      await consumer.drain()
    },
  )

  test('that the broker has forgotten registers again, and says so once', async ({ vhost, cleanUp }) => {
    const channels = await watchChannels({ vhost, cleanUp })
    const logger = createRecordingLogger()
    const messageQueue = openMessageQueue({ vhost, cleanUp }, { logger })
    let handled = 0
    const handler = async () => {
      handled += 1
    }
    const consumer = await messageQueue.consumeMessages('audit.events', handler, { prefetch: 1, stallCheckMs: 2_000 })
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => handled === 1 && consumer.inFlight === 0, { what: 'the first message' })
    await channels.forgetConsumer()
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => handled === 2, { what: 'the message that waited', timeoutMs: 30_000 })
    expect(consumer.state).toBe('consuming')
    expect(consumer.stalls).toBe(1)
    const warnings = logger.lines.filter(({ level }) => level === 'warn')
    expect(warnings).toMatchObject([
      { message: 'Messages wait, but none is delivered; the consumer registers again', data: { waiting: 1 } },
    ])
  })

  test('whose channel breaks with messages in flight consumes again', async ({ vhost, cleanUp }) => {
    const channels = await watchChannels({ vhost, cleanUp })
    const logger = createRecordingLogger()
    const messageQueue = openMessageQueue({ vhost, cleanUp }, { logger })
    const gate = createGate()
    const settled: SettledEvent[] = []
    const consumer = await messageQueue.consumeMessages('audit.events', () => gate.opened, {
      onSettled: (settledEvent) => settled.push(settledEvent),
    })
    for (let n = 0; n < 20; n += 1) await vhost.publish('audit', 'audit.track', event, { messageId: `m${n}` })
    await waitFor(() => consumer.inFlight === 20, { what: 'all in flight' })
    channels.breakChannel()
    await waitFor(() => logger.lines.some(({ data }) => data.from === 'consuming' && data.state === 'connecting'), {
      what: 'the loss to be noticed',
    })
    gate.open()
    const acked = () => settled.filter(({ outcome }) => outcome === 'acked').length
    await waitFor(() => acked() === 20, { what: 'all to be done' })
    expect(consumer.state).toBe('consuming')
    expect(settled.filter(({ outcome }) => outcome === 'returned')).toHaveLength(20)
    expect(await vhost.countMessages('audit.events')).toBe(0)
  })

  test('that has another channel by then tells what failed on the lost one as returned', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const gate = createGate()
    const settled: SettledEvent[] = []
    const handler = async () => {
      await gate.opened
      throw new RetryableError('no luck')
    }
    const consumer = await messageQueue.consumeMessages('audit.events', handler, {
      prefetch: 1,
      onSettled: (settledEvent) => settled.push(settledEvent),
    })
    await vhost.publish('audit', 'audit.track', event)
    await waitFor(() => consumer.inFlight === 1, { what: 'a message in flight' })
    await vhost.closeConnections()
    // Once more in flight: on the channel that took the place of the lost one.
    await waitFor(() => consumer.inFlight === 2, { what: 'the redelivery', timeoutMs: 20_000 })
    gate.open()
    await waitFor(() => settled.length === 2, { what: 'both to be settled', timeoutMs: 20_000 })
    expect(settled.map(({ outcome }) => outcome).toSorted()).toEqual(['retried', 'returned'])
    expect(await vhost.countMessages('audit.events.dlq')).toBe(0)
  })

  test('whose queue is deleted with messages in flight, while others are being sent, takes what is sent from then on', async ({
    vhost,
    cleanUp,
  }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const sending = openMessageQueue({ vhost, cleanUp })
    const gate = createGate()
    const handled = new Set<string>()
    const consumer = await messageQueue.consumeMessages('audit.events', async ({ messageId }) => {
      if (messageId === 'held') await gate.opened
      handled.add(messageId)
    })
    await sending.sendAuditEvent(event, { messageId: 'held' })
    await waitFor(() => consumer.inFlight === 1, { what: 'a message in flight' })

    let sent = 0
    let stop = false
    const confirmed = new Set<string>()
    const keepSending = (async () => {
      for (; !stop; sent += 1) {
        const messageId = `m${sent}`
        const isConfirmed = await sending.sendAuditEvent(event, { messageId }).then(
          () => true,
          () => false,
        )
        if (isConfirmed) confirmed.add(messageId)
      }
    })()
    // Also when the test fails: a client that is closed refuses at once, and the loop would never end.
    const stopSending = () => {
      stop = true
      return keepSending
    }
    cleanUp(stopSending)
    await waitFor(() => handled.size >= 10, { what: 'some to be handled' })
    await vhost.withChannel((channel) => channel.deleteQueue('audit.events'))
    const confirmedBefore = new Set(confirmed)
    await waitFor(() => consumer.state === 'consuming' && confirmed.size >= confirmedBefore.size + 50, {
      what: 'fifty to be confirmed by the new queue',
      timeoutMs: 20_000,
    })
    await stopSending()
    // One may have been confirmed by the old queue when it was deleted.
    const after = [...confirmed].filter((messageId) => !confirmedBefore.has(messageId)).slice(1)
    await waitFor(() => after.every((messageId) => handled.has(messageId)), { what: 'all of these to be handled' })
    gate.open()
    await consumer.drain()
    expect(await vhost.countMessages('audit.events')).toBe(0)
  })

  test('whose connection hangs leaves it, and works within ten seconds of the broker’s return', async ({
    vhost,
    cleanUp,
  }) => {
    const proxy = await createTcpProxy({ target: vhost.url })
    cleanUp(() => proxy.close())
    const messageQueue = openMessageQueue({ vhost, cleanUp }, { url: proxy.url(vhost.url) })
    const handledAt = new Map<string, number>()
    const consumer = await messageQueue.consumeMessages('audit.events', async ({ messageId }) => {
      handledAt.set(messageId, performance.now())
    })
    await vhost.publish('audit', 'audit.track', event, { messageId: 'before' })
    await waitFor(() => handledAt.has('before'), { what: 'the first message' })

    proxy.freeze()
    await vhost.publish('audit', 'audit.track', event, { messageId: 'meanwhile' })
    await waitFor(() => consumer.state === 'connecting', { what: 'the loss to be noticed', timeoutMs: 40_000 })
    const attempts = proxy.attempts
    await waitFor(() => proxy.attempts > attempts + 1, { what: 'an attempt to be given up', timeoutMs: 20_000 })
    const since = performance.now()
    proxy.thaw()
    await waitFor(() => handledAt.has('meanwhile'), { what: 'the message', timeoutMs: 20_000 })
    expect((handledAt.get('meanwhile') ?? Number.NaN) - since).toBeLessThan(10_000)
    expect(consumer.state).toBe('consuming')
  })
})

import { examples } from '@mono/contracts'
import { type TestFixtures, type TestVhost, test, waitFor } from '@mono/test-support'
import { expect, vi } from 'vitest'
import type { Consumer, SettledEvent } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'
import { createGate } from './support/create-gate.js'
import { watchChannels } from './support/watch-channels.js'

const event = examples['audit.event']
const prefetch = 5

/** As two consumers do that end with the message in flight: counted by every broker, which basic.nack is not by 4.3. */
async function returnTwice(vhost: TestVhost, queue: string): Promise<void> {
  for (let n = 0; n < 2; n += 1) {
    await vhost.withChannel(async (channel) => {
      const message = await waitFor(() => channel.get(queue), { what: 'the message to be in the queue' })
      channel.reject(message, true)
    })
  }
}

/** After a first message, gives it as many as it takes at a time: '0', '1' and so on. */
async function fill(vhost: TestVhost, consumer: Consumer, handled: readonly string[]): Promise<void> {
  await vhost.publish('audit', 'audit.track', event, { messageId: 'first' })
  await waitFor(() => handled.length === 1, { what: 'the first message' })
  for (let n = 0; n < prefetch; n += 1) {
    await vhost.publish('audit', 'audit.track', event, { messageId: String(n) })
  }
  await waitFor(() => consumer.inFlight === prefetch, { what: 'as many in flight as the prefetch admits' })
}

/** Calls back when a body with this text is about to be read. */
function watchReading(text: string, onRead: () => void, { cleanUp }: Pick<TestFixtures, 'cleanUp'>): void {
  const parse = JSON.parse
  const spy = vi.spyOn(JSON, 'parse').mockImplementation((body, reviver) => {
    if (String(body).includes(text)) onRead()
    return parse(body, reviver)
  })
  cleanUp(() => spy.mockRestore())
}

test('a message that two have died over is not so much as read while others are in flight', async ({
  vhost,
  cleanUp,
}) => {
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  const gates = Array.from({ length: prefetch }, () => createGate())
  const handled: string[] = []
  const consumer = await messageQueue.consumeMessages(
    'audit.events',
    async ({ messageId }) => {
      await gates[Number(messageId)]?.opened
      handled.push(messageId)
    },
    { prefetch },
  )
  const inHandWhenRead: number[] = []
  watchReading('suspect.action', () => inHandWhenRead.push(consumer.inFlight), { cleanUp })
  await fill(vhost, consumer, handled)
  await vhost.publish('audit', 'audit.track', { ...event, action: 'suspect.action' }, { messageId: 'suspect' })
  await returnTwice(vhost, 'audit.events')
  gates[0]?.open()
  await waitFor(() => consumer.mode === 'cautious', { what: 'the suspect to arrive' })
  expect(consumer.inFlight).toBe(prefetch)
  expect(inHandWhenRead).toEqual([])
  for (const gate of gates) gate.open()
  await waitFor(() => handled.includes('suspect'), { what: 'the suspect to be handled' })
  expect(inHandWhenRead).toEqual([1])
})

test('what waits for its turn is forgotten when its channel is gone, and is worked on once', async ({
  vhost,
  cleanUp,
}) => {
  const channels = await watchChannels({ vhost, cleanUp })
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  const gates = Array.from({ length: prefetch }, () => createGate())
  const handled: string[] = []
  const settled: SettledEvent[] = []
  const consumer = await messageQueue.consumeMessages(
    'audit.events',
    async ({ messageId }) => {
      await gates[Number(messageId)]?.opened
      handled.push(messageId)
    },
    { prefetch, onSettled: (settledEvent) => settled.push(settledEvent) },
  )
  await fill(vhost, consumer, handled)
  await vhost.publish('audit', 'audit.track', event, { messageId: 'suspect' })
  await returnTwice(vhost, 'audit.events')
  gates[0]?.open()
  await waitFor(() => consumer.mode === 'cautious', { what: 'the suspect to arrive' })
  const before = settled.length
  const breakChannel = () => {
    channels.breakChannel()
    return true
  }
  // It is registered anew just now, with a prefetch of one.
  await waitFor(breakChannel, { what: 'the consumer to be registered' })
  await waitFor(() => settled.length > before, { what: 'the suspect to be forgotten' })
  expect(settled.slice(before)).toMatchObject([{ outcome: 'returned', handlerMs: 0 }])
  expect(consumer.inFlight).toBeGreaterThanOrEqual(prefetch - 1)
  for (const gate of gates) gate.open()
  const acked = () => settled.filter(({ outcome }) => outcome === 'acked').length
  await waitFor(() => acked() === 1 + prefetch + 1, { what: 'all to be done' })
  expect(handled.filter((messageId) => messageId === 'suspect')).toHaveLength(1)
})

// @ts-check
import { once } from 'node:events'
import { createMessageQueue } from '@mono/message-queue'
import { deadLetterExchange, realtimeExchange } from '@mono/rascal-config'
import { connect } from 'amqplib'
import { queueNames, toMessageId, workerOf } from '../workers.mjs'

const timeoutMs = 30_000

/**
 * Has `operator` replay a dead letter of each queue, `realtime` hear of the chat message among them, and `publisher` count
 * what is in the queues.
 * @param {{ adminUrl: string, urlOf: (user: string) => string, index: number }} options the number of messages sent before
 * @param {import('./run-fleet-test.mjs').Report} report
 */
export async function useBrokerUsers({ adminUrl, urlOf, index }, { print, check }) {
  const listener = await connect(urlOf('realtime'))
  const admin = await connect(adminUrl)
  const messageQueue = createMessageQueue({ url: urlOf('operator'), connectionName: 'test-compose operator' })
  const publisher = createMessageQueue({ url: urlOf('publisher'), connectionName: 'test-compose publisher' })
  try {
    const counted = Object.keys(await publisher.getQueueStats())
    print(`publisher: counts ${counted.join(', ')}`)
    check(counted.length === queueNames.length, `publisher: expected to count all queues, found ${counted}`)

    const channel = await listener.createChannel()
    const { queue } = await channel.assertQueue('', { exclusive: true })
    await channel.bindQueue(queue, realtimeExchange, '#')
    const updates = new EventTarget()
    await channel.consume(
      queue,
      (update) => void updates.dispatchEvent(new Event(JSON.parse(`${update?.content}`).messageId)),
    )
    const id = toMessageId('chat.messages', index)
    const heard = once(updates, id, { signal: AbortSignal.timeout(timeoutMs) }).then(
      () => true,
      () => false,
    )

    const dead = await admin.createConfirmChannel()
    for (const name of queueNames) {
      const { exchange, routingKey, createPayload } = workerOf(name)
      const messageId = toMessageId(name, index)
      const headers = { 'x-original-exchange': exchange, 'x-original-routing-key': routingKey }
      dead.publish(deadLetterExchange, name, Buffer.from(JSON.stringify(createPayload(index, messageId))), {
        ...{ messageId, headers, contentType: 'application/json', persistent: true },
      })
      await dead.waitForConfirms()
      const { replayed, failed } = await messageQueue.replayDeadLetters(name)
      print(`operator: ${replayed} dead letter of ${name} replayed`)
      check(replayed === 1, `operator: expected to replay a dead letter of ${name}, found ${failed[0]?.error.message}`)
    }
    const isHeard = await heard
    print(`realtime: heard of ${id}: ${isHeard ? 'yes' : 'no'}`)
    check(isHeard, `realtime: expected to hear of ${id}`)
  } finally {
    await publisher.close()
    await messageQueue.close()
    await admin.close()
    await listener.close()
  }
}

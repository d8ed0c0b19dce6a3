// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { startScript } from '../scripts/start-script.mjs'
import { withBroadcasts } from './broadcasts.mjs'
import { createChatMessage } from './chat-message.mjs'
import { chatReference, chatWorker } from './chat-processes.mjs'
import { describeMessage } from './describe-message.mjs'
import { startWorker } from './start-worker.mjs'
import { createStopwatch } from './stopwatch.mjs'
import { untilDrained } from './until-drained.mjs'
import { untilRecorded } from './until-recorded.mjs'
import { withMessageQueue } from './with-message-queue.mjs'

const perSecond = 50
const seconds = 20
const conversations = 20
const load = `${perSecond} messages/s for ${seconds} s in ${conversations} conversations`
const measured = perSecond * seconds
/** Sent while the process starts and its code is compiled, and not measured. */
const warmUp = perSecond * 3
/** Conversations may overtake each other: what is compared is the first broadcast of one. */
const { tenantId, conversationId } = createChatMessage(0, conversations)
const sampleRoutingKey = `chat.${tenantId}.${conversationId}`

/**
 * Measures how long it takes from when a message is published until a subscriber has it.
 * @param {import('./recording.mjs').RecordingMeans} means
 * @returns {import('./compare-latency.mjs').LatencyComparison}
 */
export function createChatLatencyComparison({ vhost, database }) {
  const queue = vhost.openQueue('chat.messages')
  const reference = chatReference({ vhost, database })
  /** The broadcast of the first run; the other side must broadcast the same. @type {string | undefined} */
  let expected

  const run = (/** @type {(signal: AbortSignal) => import('../scripts/start-script.mjs').Script} */ start) => {
    return async (/** @type {AbortSignal} */ signal) => {
      await queue.renew()
      await database.queryRow('TRUNCATE chat.messages, chat.conversations')
      const { latencies, ...stopwatch } = createStopwatch()
      const countBroadcast = async () => latencies.length
      /** @type {import('amqplib').ConsumeMessage | undefined} */
      let sample
      /** @param {import('amqplib').ConsumeMessage} broadcast */
      const onBroadcast = (broadcast) => {
        stopwatch.stop(broadcast.properties.messageId)
        if (broadcast.fields.routingKey === sampleRoutingKey) sample ??= broadcast
      }
      await withBroadcasts(vhost.url, onBroadcast, () =>
        withMessageQueue(vhost.url, async (messageQueue) => {
          const child = start(signal)
          await publishSteadily(messageQueue, warmUp, stopwatch.start)
          await untilRecorded(child, countBroadcast, { count: warmUp, signal })
          await publishSteadily(messageQueue, measured, stopwatch.start)
          await untilDrained(queue, child, countBroadcast, { count: warmUp + measured, signal })
        }),
      )
      const sent = sample && describeMessage(sample)
      expected ??= sent
      if (sent !== expected) throw new Error(`Expected broadcasts like\n${expected}\nfound\n${sent}`)
      return latencies.slice(warmUp)
    }
  }
  return {
    title: `chat: chat-worker against plain amqplib and pg, publish to broadcast, ${load}`,
    ours: run((signal) => startWorker(chatWorker, { vhost, database, signal })),
    reference: run((signal) => startScript(reference.script, { ...reference, signal })),
  }
}

/**
 * Publishes at even distances, whether or not the messages before are confirmed.
 * @param {import('@mono/message-queue').MessageQueue} messageQueue
 * @param {number} count
 * @param {(messageId: string) => void} onPublish
 */
async function publishSteadily(messageQueue, count, onPublish) {
  const startedAt = performance.now()
  /** @type {Promise<unknown>[]} */
  const sending = []
  for (let index = 0; index < count; index += 1) {
    await sleep(startedAt + (index * 1000) / perSecond - performance.now())
    const message = createChatMessage(index, conversations)
    onPublish(message.messageId)
    sending.push(messageQueue.sendChatMessage(message))
  }
  await Promise.all(sending)
}

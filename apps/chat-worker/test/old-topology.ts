import type { TestVhost } from '@mono/test-support'

const queue = 'chat.messages'
const retryExchange = `${queue}.retry`
const delays = { '1s': 1_000, '5s': 5_000 }

const quorum = { 'x-queue-type': 'quorum', 'x-overflow': 'reject-publish', 'x-dead-letter-strategy': 'at-least-once' }

/** The queue of chat messages as several consumers share it, with its retry queues, in place of what is there. */
export async function declareOldTopology(vhost: TestVhost): Promise<void> {
  await vhost.importDefinitions()
  await vhost.withChannel(async (channel) => {
    await channel.deleteQueue(queue)
    await channel.assertQueue(queue, {
      durable: true,
      arguments: {
        ...quorum,
        'x-message-ttl': 86_400_000,
        'x-max-length': 100_000,
        'x-dead-letter-exchange': 'dead-letter',
        'x-dead-letter-routing-key': queue,
        'x-delivery-limit': 20,
      },
    })
    await channel.bindQueue(queue, 'messages', 'chat.*')
    await channel.assertExchange(retryExchange, 'topic', { durable: true })
    await channel.bindQueue(queue, retryExchange, 'work')
    for (const [step, delayMs] of Object.entries(delays)) {
      const name = `${retryExchange}.${step}`
      await channel.assertQueue(name, {
        durable: true,
        arguments: {
          ...quorum,
          'x-message-ttl': delayMs,
          'x-dead-letter-exchange': retryExchange,
          'x-dead-letter-routing-key': 'work',
        },
      })
      await channel.bindQueue(name, retryExchange, step)
    }
  })
}

/** Each is there and empty, or is not there. */
export async function findQueues(vhost: TestVhost): Promise<Record<string, number | undefined>> {
  const names = [
    queue,
    `${queue}.migrating`,
    `${queue}.dlq`,
    ...Object.keys(delays).map((step) => `${retryExchange}.${step}`),
  ]
  const entries = await Promise.all(
    names.map(async (name) => [name, await vhost.countMessages(name).catch(() => undefined)] as const),
  )
  return Object.fromEntries(entries)
}

import type { TestVhost } from '@mono/test-support'
import type { ConnectionLimits } from '../../src/connection/broker-connection.js'
import { silentLogger } from '../../src/logger.js'
import type { OutgoingMessage } from '../../src/publishing/outgoing-message.js'
import { createPublisher, type Publisher } from '../../src/publishing/publisher.js'
import type { ResolvedPublisherOptions } from '../../src/publishing/publisher-options.js'
import { createOutgoingMessage } from './pending-messages.js'

export interface TestPublisherOptions extends Partial<ResolvedPublisherOptions> {
  limits?: Partial<ConnectionLimits>
}

/** With the defaults of the client. `cleanUp` closes it. */
export function createTestPublisher(
  cleanUp: (release: () => Promise<unknown>) => void,
  { limits = {}, ...options }: TestPublisherOptions,
): Publisher {
  const publisher = createPublisher(
    {
      urls: [],
      connectionName: 'publish test',
      logger: silentLogger,
      deadlineMs: 10_000,
      maxInFlight: 1_000,
      maxBufferedMessages: 10_000,
      maxBufferedBytes: 64 * 1024 * 1024,
      heartbeatSeconds: 10,
      ...options,
    },
    limits,
  )
  cleanUp(() => publisher.close())
  return publisher
}

/** A durable topic exchange and a quorum queue of the same name that takes everything published to it. */
export async function declareQueue(vhost: TestVhost, name: string, queueArguments: object = {}): Promise<void> {
  await vhost.withChannel(async (channel) => {
    await channel.assertExchange(name, 'topic', { durable: true })
    const options = { durable: true, arguments: { 'x-queue-type': 'quorum', ...queueArguments } }
    await channel.assertQueue(name, options)
    await channel.bindQueue(name, name, '#')
  })
}

/** The message ids of all that is in the queue, in order. */
export async function takeMessageIds(vhost: TestVhost, queue: string): Promise<string[]> {
  return await vhost.withChannel(async (channel) => {
    const ids: string[] = []
    const { messageCount } = await channel.checkQueue(queue)
    if (messageCount === 0) return ids
    await new Promise<void>((resolve, reject) => {
      channel.on('error', reject)
      const take = (message: { properties: { messageId?: string } } | null) => {
        ids.push(String(message?.properties.messageId))
        if (ids.length === messageCount) resolve()
      }
      channel.consume(queue, take, { noAck: true }).catch(reject)
    })
    return ids
  })
}

export interface Outcome {
  messageId: string
  /** `resolved`, or the code of the error. */
  result: string
  error: (Error & { code?: string; reason?: string }) | undefined
  /** From the call to the outcome. */
  afterMs: number
}

/** Publishes and waits for the outcome, whatever it is. */
export async function publishAndReport(
  publisher: Publisher,
  messageId: string,
  fields: Partial<OutgoingMessage> = {},
): Promise<Outcome> {
  const startedAt = performance.now()
  const report = (error?: Outcome['error']): Outcome => ({
    messageId,
    result: error ? String(error.code) : 'resolved',
    error,
    afterMs: performance.now() - startedAt,
  })
  try {
    await publisher.publish(createOutgoingMessage(messageId, fields))
    return report()
  } catch (error) {
    return report(error as Error)
  }
}

/** How often each result occurs. */
export function countResults(outcomes: readonly Outcome[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { result } of outcomes) counts[result] = (counts[result] ?? 0) + 1
  return counts
}

export function range(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index))
}

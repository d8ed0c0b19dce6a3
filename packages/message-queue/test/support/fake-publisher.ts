import type { ConnectionLimits } from '../../src/connection/broker-connection.js'
import { silentLogger } from '../../src/logger.js'
import type { OutgoingMessage } from '../../src/publishing/outgoing-message.js'
import { createPublisher } from '../../src/publishing/publisher.js'
import type { ResolvedPublisherOptions } from '../../src/publishing/publisher-options.js'
import { createFakeBroker, type FakeChannel, type FakeConnection, settle } from './fake-broker.js'
import { createOutgoingMessage } from './pending-messages.js'

/** A publisher on a fake broker, with the means to look at both. */
export function createFakePublisher(
  options: Partial<ResolvedPublisherOptions> = {},
  limits: Partial<ConnectionLimits> = {},
) {
  const broker = createFakeBroker()
  const publisher = createPublisher(
    {
      urls: ['amqp://broker/mono'],
      connectionName: 'test',
      logger: silentLogger,
      deadlineMs: 10_000,
      maxInFlight: 1_000,
      maxBufferedMessages: 10_000,
      maxBufferedBytes: 1_000_000,
      heartbeatSeconds: 10,
      ...options,
    },
    { connect: broker.connect, ...limits },
  )

  return {
    broker,
    publisher,
    /** Publishes and gives at once; `outcome` is 'pending', 'resolved' or the error. */
    publish(messageId: string, fields: Partial<OutgoingMessage> = {}) {
      const sent = {
        outcome: 'pending' as unknown,
        settled: publisher.publish(createOutgoingMessage(messageId, fields)),
      }
      sent.settled.then(
        () => {
          sent.outcome = 'resolved'
        },
        (error: unknown) => {
          sent.outcome = error
        },
      )
      return sent
    },
    /** The latest. */
    connection(): FakeConnection {
      return latest(broker.connections, 'connection')
    },
    /** The latest of the latest connection. */
    channel(): FakeChannel {
      return latest(latest(broker.connections, 'connection').channels, 'channel')
    },
    settle,
  }
}

function latest<T>(list: readonly T[], what: string): T {
  const last = list.at(-1)
  if (last === undefined) throw new Error(`Expected a ${what} to be open, found none`)
  return last
}

import {
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  connect,
  type GetMessage,
  type Options,
} from 'amqplib'
import { waitFor } from './wait-for.js'

export interface TestMessage {
  body: Buffer
  /** The body read as JSON. Throws SyntaxError if it is none. */
  json(): unknown
  exchange: string
  routingKey: string
  redelivered: boolean
  headers: Record<string, unknown>
  properties: GetMessage['properties']
}

export interface PublishProperties extends Options.Publish {
  /** Default true: a message that no queue takes is an error. */
  mandatory?: boolean
}

export interface VhostClient {
  /** Declares a queue of the test's own and binds it. It is gone when the test is. */
  subscribe(exchange: string, ...bindingKeys: string[]): Promise<string>
  /** As `subscribe`, and takes each message as it comes. */
  listen(exchange: string, ...bindingKeys: string[]): Promise<{ readonly messages: readonly TestMessage[] }>
  /** Resolves when the broker has confirmed. Text and buffers go as they are, anything else as JSON. */
  publish(exchange: string, routingKey: string, body: unknown, properties?: PublishProperties): Promise<void>
  /** Takes the message at the head, if there is one; it is acked by being taken. */
  get(queue: string): Promise<TestMessage | undefined>
  /** Takes exactly `count` messages in order, waiting for them. Throws if they do not come within the time (10 s). */
  drainQueue(queue: string, count: number, options?: { timeoutMs?: number }): Promise<TestMessage[]>
  /** Messages that are ready. What a consumer holds un-acked is not counted. */
  countMessages(queue: string): Promise<number>
  /** For anything else: a plain amqplib channel, closed afterwards. */
  withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** The name that the client's connection gives to the broker. */
export const ownConnectionName = 'test-support'

/** A plain AMQP client that knows nothing of this project's own; it connects on first use. */
export function createVhostClient(url: string): VhostClient {
  const connection = createLazyConnection(url)

  async function withChannel<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    const channel = await (await connection.open()).createChannel()
    return await useAndClose(channel, use)
  }

  async function subscribe(exchange: string, ...bindingKeys: string[]): Promise<string> {
    return await withChannel(async (channel) => {
      const { queue } = await channel.assertQueue('', { exclusive: true })
      for (const bindingKey of bindingKeys) await channel.bindQueue(queue, exchange, bindingKey)
      return queue
    })
  }

  async function get(queue: string): Promise<TestMessage | undefined> {
    return await withChannel(async (channel) => {
      const message = await channel.get(queue, { noAck: true })
      return message ? toTestMessage(message) : undefined
    })
  }

  return {
    withChannel,
    get,
    subscribe,
    async listen(exchange, ...bindingKeys) {
      const queue = await subscribe(exchange, ...bindingKeys)
      const messages: TestMessage[] = []
      // Not closed before the connection is.
      const channel = await (await connection.open()).createChannel()
      await channel.consume(queue, (message) => message && messages.push(toTestMessage(message)), { noAck: true })
      return { messages }
    },
    async publish(exchange, routingKey, body, properties = {}) {
      const channel = await (await connection.open()).createConfirmChannel()
      await useAndClose(channel, async () => {
        await publishConfirmed(channel, { exchange, routingKey, body: toBody(body), properties })
      })
    },
    async drainQueue(queue, count, { timeoutMs = 10_000 } = {}) {
      const messages: TestMessage[] = []
      const takeAll = async () => {
        for (let next = await get(queue); next; next = await get(queue)) {
          messages.push(next)
          if (messages.length === count) return true
        }
        return messages.length === count ? true : `${messages.length} so far`
      }
      await waitFor(async () => (await takeAll()) === true || undefined, {
        what: `${count} messages in ${queue}`,
        timeoutMs,
      }).catch((error: unknown) => {
        throw new Error(`Expected ${count} messages in ${queue} within ${timeoutMs} ms, found ${messages.length}`, {
          cause: error,
        })
      })
      return messages
    },
    async countMessages(queue) {
      return await withChannel(async (channel) => (await channel.checkQueue(queue)).messageCount)
    },
    async close() {
      await connection.close()
    },
  }
}

/** Opens once, and again after a loss: a test may restart the broker or close every connection. */
function createLazyConnection(url: string) {
  let opened: Promise<ChannelModel> | undefined
  const forget = () => {
    opened = undefined
  }
  const open = async () => {
    const model = await connect(url, { timeout: 10_000, clientProperties: { connection_name: ownConnectionName } })
    model.on('error', forget)
    model.on('close', forget)
    return model
  }
  return {
    async open(): Promise<ChannelModel> {
      opened ??= open()
      try {
        return await opened
      } catch (error) {
        forget()
        throw error
      }
    },
    async close() {
      const model = await opened?.catch(() => undefined)
      await model?.close().catch(() => undefined)
    },
  }
}

/** The broker closes the channel on any error; closing it once more must not hide that error. */
async function useAndClose<C extends Channel, T>(channel: C, use: (channel: C) => Promise<T>): Promise<T> {
  channel.on('error', () => undefined)
  try {
    return await use(channel)
  } finally {
    await channel.close().catch(() => undefined)
  }
}

interface Publication {
  exchange: string
  routingKey: string
  body: Buffer
  properties: PublishProperties
}

/** A mandatory message that no queue takes is returned before it is confirmed. */
async function publishConfirmed(channel: ConfirmChannel, publication: Publication): Promise<void> {
  const { exchange, routingKey, body, properties } = publication
  let returned: string | undefined
  channel.on('return', (message) => {
    returned = String((message.fields as { replyText?: string }).replyText)
  })
  await new Promise<void>((resolve, reject) => {
    channel.on('error', reject)
    channel.publish(exchange, routingKey, body, { mandatory: true, persistent: true, ...properties }, (error) =>
      error ? reject(error) : resolve(),
    )
  })
  if (returned) throw new Error(`Nothing took the message for ${exchange} with routing key ${routingKey}: ${returned}`)
}

function toBody(body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

function toTestMessage({ content, fields, properties }: GetMessage | ConsumeMessage): TestMessage {
  return {
    body: content,
    json: () => JSON.parse(content.toString('utf8')),
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    redelivered: fields.redelivered,
    headers: properties.headers ?? {},
    properties,
  }
}

import type { TestFixtures } from '@mono/test-support'
import { type Channel, type ChannelModel, connect } from 'amqplib'

/** Lets a test do to a consumer what a broker at fault would. */
export interface WatchedChannels {
  /** The broker knows the consumer no more, and nobody has been told. */
  forgetConsumer(): Promise<void>
  /** How many channels have been opened to consume on. */
  readonly attempts: number
  /** The broker closes the channel of the consumer for a protocol error. */
  breakChannel(): void
}

export interface WatchOptions {
  /** Awaited before the first registration of a consumer is asked for. */
  beforeFirstConsume?: () => Promise<unknown>
}

interface ChannelMethods {
  createChannel: ChannelModel['createChannel']
}

/** To be called before the consumer is made: wraps a method of all of amqplib's connections until the test is over. */
export async function watchChannels(
  { vhost, cleanUp }: Pick<TestFixtures, 'vhost' | 'cleanUp'>,
  { beforeFirstConsume }: WatchOptions = {},
): Promise<WatchedChannels> {
  const model = await connect(vhost.url)
  const methods = Object.getPrototypeOf(model) as ChannelMethods
  await model.close()
  const { createChannel } = methods
  const tags = new Map<Channel, string[]>()
  let attempts = 0
  let registrations = 0

  function watch(channel: Channel): void {
    attempts += 1
    tags.set(channel, [])
    channel.once('close', () => tags.delete(channel))
    const consume = channel.consume.bind(channel)
    channel.consume = async (queue, onMessage, options) => {
      registrations += 1
      if (registrations === 1) await beforeFirstConsume?.()
      tags.get(channel)?.push(options?.consumerTag ?? '')
      return await consume(queue, onMessage, options)
    }
  }

  methods.createChannel = async function (this: ChannelModel, options) {
    const channel = await createChannel.call(this, options)
    watch(channel)
    return channel
  }
  cleanUp(() => {
    methods.createChannel = createChannel
  })

  const find = () => {
    const found = [...tags].find(([, registered]) => registered.length > 0)
    if (found === undefined) throw new Error('Expected a channel with a consumer, found none')
    return { channel: found[0], tag: found[1].at(-1) ?? '' }
  }
  return {
    get attempts() {
      return attempts
    },
    async forgetConsumer() {
      const { channel, tag } = find()
      await channel.cancel(tag)
    },
    breakChannel() {
      const { channel } = find()
      channel.ack({ fields: { deliveryTag: 4_711 } } as Parameters<Channel['ack']>[0])
    },
  }
}

import type { ChannelModel } from 'amqplib'
import { beforeEach, expect, test } from 'vitest'
import { FakeConsumerChannel } from '../../test/support/fake-consumer-channel.js'
import { useChannel } from './use-channel.js'

const notFound = Object.assign(new Error('NOT_FOUND - no queue'), { code: 404 })
let channel: FakeConsumerChannel
let model: ChannelModel

beforeEach(() => {
  channel = new FakeConsumerChannel()
  model = { createChannel: async () => channel } as unknown as ChannelModel
})

test('gives what its use gives, and closes the channel', async () => {
  channel.messageCount = 7
  const counted = useChannel(model, (given) => given.checkQueue('q'))
  await Promise.resolve()
  expect(channel.isClosed).toBe(false)
  await channel.answer()
  expect(await counted).toMatchObject({ messageCount: 7 })
  expect(channel.isClosed).toBe(true)
})

test('closes the channel also if its use fails', async () => {
  const failing = useChannel(model, () => Promise.reject(new Error('no luck')))
  await expect(failing).rejects.toThrow('no luck')
  expect(channel.isClosed).toBe(true)
})

test('rejects with the error that closes the channel, which is no unhandled event', async () => {
  const counting = useChannel(model, (given) => given.checkQueue('q'))
  counting.catch(() => {})
  await Promise.resolve()
  channel.fail(notFound)
  await expect(counting).rejects.toBe(notFound)
})

test('rejects if there is no channel', async () => {
  const refused = new Error('no more channels')
  const none = { createChannel: () => Promise.reject(refused) } as unknown as ChannelModel
  await expect(useChannel(none, async () => 'used')).rejects.toBe(refused)
})

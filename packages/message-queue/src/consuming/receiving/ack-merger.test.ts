import type { ConsumeMessage } from 'amqplib'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { createConsumeMessage } from '../../../test/support/create-consume-message.js'
import { AckMerger } from './ack-merger.js'

const acked = vi.fn<(message: ConsumeMessage, allUpTo: boolean) => void>()
let merger: AckMerger
let messages: ConsumeMessage[]

beforeEach(() => {
  acked.mockReset()
  merger = new AckMerger(acked)
  messages = [1, 2, 3, 4, 5, 6].map((deliveryTag) => createConsumeMessage({ deliveryTag }))
  for (const message of messages) merger.delivered(message)
})

/** What is done in one turn, by delivery tag. */
async function ack(...tags: number[]): Promise<[tag: number, allUpTo: boolean][]> {
  acked.mockClear()
  for (const tag of tags) merger.ack(messages[tag - 1] as ConsumeMessage)
  expect(acked).not.toHaveBeenCalled()
  await new Promise((resolve) => setImmediate(resolve))
  return acked.mock.calls.map(([{ fields }, allUpTo]) => [fields.deliveryTag, allUpTo])
}

describe('the acks of one turn', () => {
  test('are one if nothing earlier is in flight, in whatever order they come', async () => {
    expect(await ack(2, 1, 3)).toEqual([[3, true]])
    expect(await ack(4, 5)).toEqual([[5, true]])
    expect(await ack(6)).toEqual([[6, true]])
  })

  test('are one up to what is still in flight, and single ones behind it', async () => {
    expect(await ack(1, 2, 4, 5)).toEqual([
      [2, true],
      [4, false],
      [5, false],
    ])
    expect(await ack(3, 6)).toEqual([[6, true]])
  })

  test('are single ones while the first delivery is in flight', async () => {
    expect(await ack(3, 2)).toEqual([
      [3, false],
      [2, false],
    ])
  })

  test('pass over what was settled in another way', async () => {
    merger.forget(messages[0] as ConsumeMessage)
    merger.forget(messages[2] as ConsumeMessage)
    expect(await ack(2, 4)).toEqual([[4, true]])
  })

  test('are dropped on a channel that is closing', async () => {
    acked.mockImplementation(() => {
      throw new Error('Channel closing')
    })
    expect(await ack(1, 3)).toEqual([[1, true]])
    acked.mockReset()
    expect(await ack(4)).toEqual([[4, false]])
  })
})

test('a flush acknowledges at once, and only once', async () => {
  merger.ack(messages[0] as ConsumeMessage)
  merger.flush()
  expect(acked).toHaveBeenCalledExactlyOnceWith(messages[0], true)
  await new Promise((resolve) => setImmediate(resolve))
  expect(acked).toHaveBeenCalledOnce()
})

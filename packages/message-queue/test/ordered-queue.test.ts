import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { PermanentError, RetryableError, type SettledEvent } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'

const conversations = 20
const count = 2_000
const conversationOf = (number: number) => `c${number % conversations}`
const toMessage = (number: number) => ({
  ...examples['chat.message'],
  messageId: `m${number}`,
  conversationId: conversationOf(number),
})
const toNumber = ({ messageId }: { messageId: string }) => Number(messageId.slice(1))

describe('a queue that keeps its order', () => {
  test('hands on what one client has sent without waiting in the order of sending, past what fails', async ({
    vhost,
    cleanUp,
  }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const handled: number[] = []
    const events: SettledEvent[] = []
    let failures = 0
    await messageQueue.consumeMessages(
      'chat.messages',
      async (message) => {
        const number = toNumber(message)
        if (number === 105 && message.attempt === 1) {
          failures += 1
          throw new RetryableError('not now')
        }
        if (number === 207) throw new PermanentError('never', { code: 'INVALID_MESSAGE' })
        handled.push(number)
      },
      { onSettled: (event) => events.push(event) },
    )
    await Promise.all(Array.from({ length: count }, (_, number) => messageQueue.sendChatMessage(toMessage(number))))
    await waitFor(() => handled.length === count - 1, { what: 'all messages to be handled' })
    await messageQueue.drain()

    for (let conversation = 0; conversation < conversations; conversation += 1) {
      const numbers = handled.filter((number) => number % conversations === conversation)
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    }
    // The conversation of the one that waited is the last to end.
    expect(handled.at(-1)).toBe(count - conversations + (105 % conversations))
    expect(failures).toBe(1)
    expect(events.filter(({ isInHand }) => isInHand)).toMatchObject([{ outcome: 'retried', attempt: 1 }])
    expect(await vhost.countMessages('chat.messages.dlq')).toBe(1)
    expect(await vhost.countMessages('chat.messages')).toBe(0)
  })

  test('delivers to one consumer, and to the next when that has finished what it began', async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const handledBy: Record<'first' | 'second', number[]> = { first: [], second: [] }
    let finish = () => {}
    const finished = new Promise<void>((resolve) => {
      finish = resolve
    })
    let begun = 0
    const first = await messageQueue.consumeMessages('chat.messages', async (message) => {
      begun += 1
      await finished
      handledBy.first.push(toNumber(message))
    })
    const second = await messageQueue.consumeMessages('chat.messages', async (message) => {
      handledBy.second.push(toNumber(message))
    })
    expect([first.state, second.state]).toEqual(['standby', 'standby'])
    for (const number of [0, 20, 1]) await messageQueue.sendChatMessage(toMessage(number))
    await waitFor(() => first.inFlight === 3 && begun === 2, { what: 'all to be delivered, one of each to begin' })
    expect([first.state, first.isActive, second.state, second.isActive]).toEqual(['consuming', true, 'standby', false])

    const drained = first.drain()
    finish()
    await drained
    await waitFor(() => handledBy.second.length === 1, { what: 'the second to take over' })
    // One of each conversation had begun.
    expect(handledBy).toEqual({ first: [0, 1], second: [20] })
    expect(second.state).toBe('consuming')
    await messageQueue.drain()
    expect(await vhost.countMessages('chat.messages')).toBe(0)
  })
})

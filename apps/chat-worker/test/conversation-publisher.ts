import { setTimeout as sleep } from 'node:timers/promises'
import type { MessageQueue } from '@mono/message-queue'
import type { TestDatabase } from '@mono/test-support'
import { chatMessage } from './received-chat-message.js'

const conversations = Array.from({ length: 20 }, (_, index) => `room-${index}`)
const pauseMs = 50

export interface ConversationPublisher {
  /** Sends so many to each conversation. */
  send(count: number): Promise<void>
  /** Goes on until `end`. */
  begin(): void
  end(): Promise<void>
  readonly sent: number
}

/** Sends numbered messages, each when the one before it in its conversation is confirmed. */
export function createConversationPublisher(messageQueue: MessageQueue): ConversationPublisher {
  const next = new Map(conversations.map((conversationId) => [conversationId, 0]))
  let isEnding = false
  let running: Promise<unknown> = Promise.resolve()

  async function sendNext(conversationId: string): Promise<void> {
    const number = next.get(conversationId) ?? 0
    const messageId = `${conversationId}-${number}`
    await messageQueue.sendChatMessage(chatMessage({ messageId, conversationId, content: String(number) }))
    next.set(conversationId, number + 1)
  }

  return {
    async send(count) {
      await Promise.all(
        conversations.map(async (conversationId) => {
          for (let sent = 0; sent < count; sent += 1) await sendNext(conversationId)
        }),
      )
    },
    begin() {
      running = Promise.all(
        conversations.map(async (conversationId) => {
          while (!isEnding) {
            await sendNext(conversationId)
            await sleep(pauseMs)
          }
        }),
      )
    },
    async end() {
      isEnding = true
      await running
    },
    get sent() {
      return [...next.values()].reduce((sum, count) => sum + count, 0)
    },
  }
}

/** Counts the faults of the stored rows: gaps in the sequences, and numbers that were stored before a lower one. */
export async function findFaults(database: TestDatabase): Promise<{ gaps: number; disordered: number }> {
  const rows = await database.query<{ conversation_id: string; sequence: number; content: string }>(
    'SELECT conversation_id, sequence::int, content FROM chat.messages ORDER BY conversation_id, sequence',
  )
  const lastSequence = new Map<string, number>()
  const lastNumber = new Map<string, number>()
  let gaps = 0
  let disordered = 0
  for (const { conversation_id, sequence, content } of rows) {
    if (sequence !== (lastSequence.get(conversation_id) ?? 0) + 1) gaps += 1
    lastSequence.set(conversation_id, sequence)
    const number = Number(content)
    if (Number.isNaN(number)) continue
    if (number !== (lastNumber.get(conversation_id) ?? -1) + 1) disordered += 1
    lastNumber.set(conversation_id, number)
  }
  return { gaps, disordered }
}

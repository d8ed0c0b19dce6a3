import type { RealtimeMessage } from './realtime-message.js'

/** An open conversation, and how much of it the page has. */
export interface OpenConversation {
  conversationId: string
  /** The sequence of its last message; 0 for none. */
  after: number
}

/** A message as JSON has it. What the entry and the token say anyway may be left out. */
export type LoadedMessage = Omit<RealtimeMessage, 'timestamp' | 'conversationId' | 'tenantId'> &
  Partial<Pick<RealtimeMessage, 'conversationId' | 'tenantId'>> & { timestamp: string | Date }

export interface LoadedConversation {
  conversationId: string
  /** Ascending from `after` + 1. They may be cut: more is asked for until nothing new comes. */
  messages: readonly LoadedMessage[]
}

/**
 * Asks the application's server for what comes after the last message of several conversations, in one request. A
 * conversation without anything new may be left out of the answer. The signal aborts when the answer is too late.
 */
export type LoadAfter = (
  open: OpenConversation[],
  context: { signal: AbortSignal },
) => Promise<readonly LoadedConversation[]>

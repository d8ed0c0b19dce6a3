import { parseMessage, type RealtimeMessage } from './realtime-message.js'

export interface Loaded {
  /** The messages of each conversation that was asked for and has an entry. */
  messages: Map<string, RealtimeMessage[]>
  /** The faults of the answer. A fault without a conversation may be about any that has no entry. */
  faults: { conversationId?: string; reason: string }[]
}

/**
 * Reads an answer of `loadAfter`. A conversation that is not in it has nothing new, if the rest can be read. What cannot be
 * used is left out, and named: the conversation has to be asked for again.
 */
export function parseLoaded(answer: unknown, asked: ReadonlySet<string>, tenantId: number): Loaded {
  const loaded: Loaded = { messages: new Map(), faults: [] }
  if (!Array.isArray(answer)) {
    loaded.faults.push({ reason: 'expected an array of { conversationId, messages }' })
    return loaded
  }
  for (const entry of answer) parseEntry(entry, { asked, tenantId, loaded })
  return loaded
}

/** Whether the answer does not say for sure what a conversation has. */
export function isFaulty({ messages, faults }: Loaded, conversationId: string): boolean {
  const hasEntry = messages.has(conversationId)
  return faults.some((fault) =>
    fault.conversationId === undefined ? !hasEntry : fault.conversationId === conversationId,
  )
}

/** Whether the answer says nothing about any conversation. */
export function isUnreadable({ messages, faults }: Loaded): boolean {
  return messages.size === 0 && faults.some((fault) => fault.conversationId === undefined)
}

function parseEntry(
  entry: unknown,
  { asked, tenantId, loaded }: { asked: ReadonlySet<string>; tenantId: number; loaded: Loaded },
): void {
  const { conversationId, messages } = Object(entry) as { conversationId?: unknown; messages?: unknown }
  if (typeof conversationId !== 'string' || !asked.has(conversationId)) {
    loaded.faults.push({ reason: 'there is an entry of a conversation that was not asked for' })
    return
  }
  if (!Array.isArray(messages)) {
    loaded.faults.push({ conversationId, reason: 'messages: expected an array' })
    return
  }
  const known = loaded.messages.get(conversationId) ?? []
  loaded.messages.set(conversationId, known)
  for (const fields of messages) {
    // The application may leave out what the entry and the token say anyway.
    const message = parseMessage({ conversationId, tenantId, ...Object(fields) }, { conversationId, tenantId })
    if (typeof message === 'string') loaded.faults.push({ conversationId, reason: message })
    else known.push(message)
  }
}

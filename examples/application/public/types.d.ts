/** The types of the server’s answers, as the page reads them: dates are text. */

export interface Site {
  realtimeUrls: string[]
  /** Null: browsers get no notifications. */
  vapidPublicKey: string | null
  links: { name: string; url: string }[]
}

export interface User {
  tenantId: number
  userId: string
  name: string
  email: string
}

export interface Session extends User {
  csrfToken: string
}

export interface Conversation {
  conversationId: string
  title: string
  /** 0: nothing is stored yet. */
  lastSequence: number
}

export interface Message {
  messageId: string
  senderId: string
  content: string
  timestamp: string | Date
}

export interface StoredMessage extends Message {
  sequence: number
}

/** `waiting`: for the broker; `sent`: it waits to be stored; `refused`: it will not be sent as it is. */
export interface PendingMessage extends Message {
  state: 'waiting' | 'sent' | 'refused'
}

export interface Accepted {
  brokerConnected: boolean
}

/** So many recipients or devices have this outcome in a worker's ledger. */
export interface Outcome {
  outcome: string
  count: number
  reason?: string
}

interface Channel {
  state: 'waiting' | 'sent' | 'refused'
  /** Null: the ledgers cannot be seen. */
  outcomes?: Outcome[] | null
}

export interface Report {
  notificationId: string
  title: string
  push: Channel & { devices: number; disabled: number; withoutDevice: number }
  /** Null: no mail was asked for. */
  email: (Channel & { addresses: number }) | null
}

export interface AuditEvent {
  eventId: string
  occurredAt: string
  eventType: string
  userId: string
  entityType: string
  entityId: string
  /** JSON. */
  changes: string
}

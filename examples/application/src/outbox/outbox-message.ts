/** A message to be sent when its transaction has committed. */
export interface OutboxMessage {
  /** Unique within tenant and type while it waits. Under this id it is sent, as often as it takes. */
  messageId: string
  tenantId: number
  /** Which kind of message the body is. What one type's destination refuses holds up no other type. */
  type: string
  /** Messages of one tenant, type and key are sent in the order of their commits. */
  orderKey: string
  body: string
}

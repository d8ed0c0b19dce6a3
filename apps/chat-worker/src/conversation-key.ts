import type { ChatMessage } from '@mono/contracts'

/** Tells conversations of all tenants apart. */
export function conversationKey({
  tenantId,
  conversationId,
}: Pick<ChatMessage, 'tenantId' | 'conversationId'>): string {
  return `${tenantId} ${conversationId}`
}

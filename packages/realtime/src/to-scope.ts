import { realtimeRoutingKey } from '@mono/contracts'

export interface ScopeOptions {
  subject: string
  tenantId: number
  conversations: readonly string[] | 'whole-tenant'
  vhost: string
}

/**
 * What a token allows, for RabbitMQ's OAuth 2 plugin: a queue for each session of its subject, and reading its
 * conversations. The plugin splits a scope at `/` and `*` and decodes each part, so a literal part is percent-encoded.
 */
export function toScope({ subject, tenantId, conversations, vhost }: ScopeOptions): string {
  const prefix = encodeURIComponent(vhost)
  const sessions = `${prefix}/mqtt-subscription-${encodeURIComponent(subject)}.*`
  const rights = ['configure', 'write', 'read'].map((right) => `mono.${right}:${sessions}`)
  const keys = conversations === 'whole-tenant' ? [`chat.${tenantId}.*`] : listKeys(tenantId, conversations)
  return [...rights, ...keys.map((key) => `mono.read:${prefix}/realtime/${key}`)].join(' ')
}

function listKeys(tenantId: number, conversations: readonly string[]): string[] {
  return [...new Set(conversations)].map((id) => encodeURIComponent(realtimeRoutingKey(tenantId, id)))
}

import { createHash } from 'node:crypto'

/** RabbitMQ makes the name of a queue of the subject, at most 255 bytes; so this leaves room for everything else. */
const userBytes = 120

/**
 * The subject of a user's tokens: `<tenantId>.<user>`. User ids are unique within a tenant only, and whoever has the same
 * subject may take over the other's sessions.
 *
 * In the user id every character but `A–Z a–z 0–9 _ -` is percent-encoded, dots too: the sessions of a subject are all
 * that begin with `<subject>.`, which must not be how another subject begins. An id that gets too long becomes
 * `%sha256-<hex>`, a form that encoding never produces.
 */
export function toSubject(tenantId: number, userId: string): string {
  const user = encodeURIComponent(userId).replace(/[.!~*'()]/g, toPercentEncoded)
  if (user.length <= userBytes) return `${tenantId}.${user}`
  return `${tenantId}.%sha256-${createHash('sha256').update(userId).digest('hex')}`
}

function toPercentEncoded(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}

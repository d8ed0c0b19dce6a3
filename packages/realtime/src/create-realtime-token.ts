import type { KeyObject } from 'node:crypto'
import { findIdFault, findPositiveIntegerFault } from '@mono/contracts'
import { parseSigningKey } from './parse-signing-key.js'
import { RealtimeTokenError } from './realtime-token-error.js'
import { signToken } from './sign-token.js'
import { toScope } from './to-scope.js'
import { toSubject } from './to-subject.js'

export interface RealtimeTokenOptions {
  /** Id of the user who gets the token, unique within the tenant. The application has made sure of it. */
  userId: string
  tenantId: number
  /**
   * Ids of the conversations that the user may hear: at least one; about 690 UUIDs fit. `'whole-tenant'`: every
   * conversation of the tenant, also those that begin later.
   */
  conversations: readonly string[] | 'whole-tenant'
  /**
   * Seconds for which the token is good, from 1 to 3600. Default 900. A user who leaves a conversation hears it until the
   * token ends.
   */
  ttlSeconds?: number
  /**
   * The private key of RSA, of 2,048 bits or more. PEM, as text or as the bytes of a file, is read at each call, so somebody
   * who makes many tokens passes a KeyObject; but only PEM shows that it is a development key, which production refuses.
   */
  key: string | Buffer | KeyObject
  /** The name by which the broker knows the key's public half. Default `app`. */
  keyId?: string
  /** The broker's virtual host. Default `mono`. */
  vhost?: string
}

const maxTtlSeconds = 3_600

/**
 * RabbitMQ takes at most 64 KiB from a client that it does not know yet, and the token comes with the packet that
 * connects, whose other fields take less than a KiB.
 */
const maxTokenBytes = 63 * 1024

/**
 * Makes the token by which RabbitMQ lets a user's browser hear conversations, and nothing else. Who asks for it must have
 * been authenticated by the application.
 *
 * @throws RealtimeTokenError if an option cannot be used, or the token would be too large for RabbitMQ
 */
export function createRealtimeToken(options: RealtimeTokenOptions): string {
  const { userId, tenantId, conversations, ttlSeconds = 900, keyId = 'app', vhost = 'mono' } = options
  check('userId', findIdFault(userId))
  check('tenantId', findPositiveIntegerFault(tenantId))
  checkConversations(conversations)
  check('ttlSeconds', findTtlFault(ttlSeconds))
  check('keyId', findIdFault(keyId))
  check('vhost', findIdFault(vhost))
  // biome-ignore lint/style/noProcessEnv: a development key is refused in production, whoever calls
  const key = parseSigningKey(options.key, { isProduction: process.env.NODE_ENV === 'production' })

  const subject = toSubject(tenantId, userId)
  const issuedAt = Math.floor(Date.now() / 1000)
  const claims = {
    aud: 'mono',
    sub: subject,
    iat: issuedAt,
    exp: issuedAt + ttlSeconds,
    scope: toScope({ subject, tenantId, conversations, vhost }),
  }
  return checkSize(signToken(keyId, claims, key), conversations)
}

function check(field: string, fault: string | undefined): void {
  if (fault !== undefined) throw new RealtimeTokenError(field, fault)
}

function checkConversations(conversations: unknown): void {
  if (conversations === 'whole-tenant') return
  if (!Array.isArray(conversations) || conversations.length === 0) {
    const found = Array.isArray(conversations) ? 'an empty array' : `a value of the type ${typeof conversations}`
    throw new RealtimeTokenError(
      'conversations',
      `expected an array of one id or more, or 'whole-tenant', found ${found}; a user without conversations needs no token`,
    )
  }
  for (const [index, id] of conversations.entries()) check(`conversations[${index}]`, findIdFault(id))
}

function findTtlFault(ttlSeconds: unknown): string | undefined {
  if (Number.isInteger(ttlSeconds) && Number(ttlSeconds) >= 1 && Number(ttlSeconds) <= maxTtlSeconds) return undefined
  const found = typeof ttlSeconds === 'number' ? ttlSeconds : `a value of the type ${typeof ttlSeconds}`
  return `expected whole seconds from 1 to ${maxTtlSeconds}, found ${found}; the browser renews its token, so a short one is no burden`
}

function checkSize(token: string, conversations: readonly string[] | 'whole-tenant'): string {
  if (token.length <= maxTokenBytes) return token
  throw new RealtimeTokenError(
    'conversations',
    `expected a token of at most ${maxTokenBytes} bytes, which is what RabbitMQ takes, found one of ${token.length} bytes for ${conversations.length} conversations; name those that are open now, or use 'whole-tenant' where the user may hear all`,
  )
}

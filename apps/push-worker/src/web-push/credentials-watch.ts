import type { Logger } from '@mono/message-queue'
import type { PushVerdict } from './classify-push-answer.js'

/**
 * Tells whose fault it is that a push service refuses a fresh `Authorization` header (401, 403): ours, if it accepts
 * none, because the VAPID settings or the clock are wrong; the subscription's, if it accepts those for others, because
 * it was made with another key. Anybody can register such a subscription, and it must not hold up the rest.
 */
export interface CredentialsWatch {
  accepted(origin: string): void
  refused(origin: string, status: number): PushVerdict
}

export interface CredentialsWatchOptions {
  logger: Logger
  /** Milliseconds since 1970. */
  now?: () => number
}

const evidenceMs = 60_000

/** How long to wait before a push service is asked again that refuses us. */
const waitMs = 60_000

export function createCredentialsWatch({ logger, now = Date.now }: CredentialsWatchOptions): CredentialsWatch {
  const acceptedAt = new Map<string, number>()
  const faulty = new Set<string>()

  return {
    accepted(origin) {
      acceptedAt.set(origin, now())
      faulty.delete(origin)
    },
    refused(origin, status) {
      if (now() - (acceptedAt.get(origin) ?? Number.NEGATIVE_INFINITY) < evidenceMs) {
        return { result: { kind: 'failed', code: 'VAPID_MISMATCH' }, origin: { kind: 'alive' } }
      }
      if (!faulty.has(origin)) {
        faulty.add(origin)
        const advice =
          'A push service refuses our credentials; check VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT and the clock'
        logger.error({ origin, status }, advice)
      }
      const code = 'VAPID_REJECTED'
      return { result: { kind: 'defer', code, delayMs: waitMs }, origin: { kind: 'closed', code, waitMs } }
    },
  }
}

import type { Logger } from '@mono/message-queue'
import type { Endpoint } from '../sending/device-sender.js'
import { endpointsToClose } from '../sending/endpoints-to-close.js'
import type { PushVerdict } from '../sending/push-verdict.js'

/**
 * Tells whose fault it is that a push service refuses a fresh `Authorization` header (401, 403): the subscription's, if
 * those for others are accepted, because it was made with another key; ours, if none is accepted, because the VAPID
 * settings or the clock are wrong. Until that is known the device waits. Anybody can register such a subscription, and
 * it must not hold up the rest.
 */
export interface CredentialsWatch {
  accepted(url: Endpoint): void
  refused(url: Endpoint, status: number): PushVerdict
}

export interface CredentialsWatchOptions {
  logger: Logger
}

interface Evidence {
  /** Two endpoints at most, so that there is one that is another, since so many were refused that it says no more. */
  accepted: string[]
  /** Since one was accepted; at most as many as say something about the push service. */
  refused: Set<string>
}

/** How long a device waits of which nobody knows whose fault it is. */
const waitMs = 60_000

/** Origins come from endpoints, and one of the known push services has any number of host names. */
const originsToKeep = 1000

const advice = 'check VAPID_PUBLIC_KEY, VAPID_PRIVATE_KEY, VAPID_SUBJECT and the clock'

export function createCredentialsWatch({ logger }: CredentialsWatchOptions): CredentialsWatch {
  const evidenceByOrigin = new Map<string, Evidence>()

  function evidenceOf(origin: string): Evidence {
    const known = evidenceByOrigin.get(origin)
    if (known) return known
    if (evidenceByOrigin.size >= originsToKeep) evidenceByOrigin.clear()
    const evidence: Evidence = { accepted: [], refused: new Set() }
    evidenceByOrigin.set(origin, evidence)
    return evidence
  }

  return {
    accepted({ origin, href }) {
      const evidence = evidenceOf(origin)
      if (evidence.accepted.length < 2 && !evidence.accepted.includes(href)) evidence.accepted.push(href)
      if (evidence.refused.size > 0) evidence.refused.clear()
    },
    refused({ origin, href }, status) {
      const evidence = evidenceOf(origin)
      const { refused } = evidence
      const isNew = refused.size < endpointsToClose && !refused.has(href)
      if (isNew) refused.add(href)
      if (refused.size >= endpointsToClose) evidence.accepted = []
      if (evidence.accepted.some((accepted) => accepted !== href)) {
        const code = 'VAPID_MISMATCH'
        return { result: { kind: 'failed', code }, origin: { kind: 'refused', code }, countsRefusal: true }
      }
      const data = { origin, status }
      if (isNew && refused.size === endpointsToClose) {
        logger.error(data, `A push service refuses our credentials; ${advice}`)
      } else if (isNew && refused.size === 1) {
        logger.warn(data, `A push service refuses our credentials for a device; if it does for all, ${advice}`)
      }
      const code = 'VAPID_REJECTED'
      return { result: { kind: 'defer', code, delayMs: waitMs }, origin: { kind: 'refused', code } }
    },
  }
}

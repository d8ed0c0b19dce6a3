import type { Logger } from '@mono/message-queue'

/** Says, once for each of Apple's reasons, that it refuses our settings, until it has accepted a notification. */
export interface SettingsWatch {
  accepted(origin: string): void
  refused(origin: string, refusal: { status: number; reason: string | undefined }): void
}

const keySettings = 'APNS_KEY, APNS_KEY_ID and APNS_TEAM_ID'
const addresses = 'APNS_ORIGIN and APNS_SANDBOX_ORIGIN'
const otherEnvironment = `the key is for the other environment only: make one for both, and set ${keySettings}`

/** Each of Apple's reasons has something that an operator can do. */
const adviceByReason: Record<string, string> = {
  BadEnvironmentKeyIdInToken: otherEnvironment,
  BadEnvironmentKeyInToken: otherEnvironment,
  BadPath: `check ${addresses}`,
  BadTopic: 'check APNS_TOPIC: it is the bundle id of the app',
  ExpiredProviderToken: 'check the clock: Apple calls a token expired that is new',
  InvalidProviderToken: `check ${keySettings}, and the clock`,
  MethodNotAllowed: `check ${addresses}`,
  MissingProviderToken: `check ${addresses}: the token was lost on the way`,
  MissingTopic: 'check APNS_TOPIC: it was lost on the way',
  TopicDisallowed: 'check APNS_TOPIC, and which topics the key is for',
  UnrelatedKeyIdInToken: `check ${keySettings}: the connection began with a key of another team`,
}

const otherAdvice = `check ${keySettings}, APNS_TOPIC, ${addresses}`

export function createSettingsWatch({ logger }: { logger: Logger }): SettingsWatch {
  const toldByOrigin = new Map<string, Set<string>>()
  return {
    accepted(origin) {
      toldByOrigin.delete(origin)
    },
    refused(origin, { status, reason = '' }) {
      const told = toldByOrigin.get(origin) ?? new Set()
      const name = `${status} ${reason}`
      if (told.has(name)) return
      toldByOrigin.set(origin, told.add(name))
      const advice = Object.hasOwn(adviceByReason, reason) ? adviceByReason[reason] : otherAdvice
      logger.error({ origin, status, reason }, `Apple refuses our settings, and its devices wait; ${advice}`)
    },
  }
}

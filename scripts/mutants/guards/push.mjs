// @ts-check
import { promises } from '../promises.mjs'

const source = 'apps/push-worker/src'
const httpClient = 'packages/http-client/src'
const accessTokens = 'packages/access-tokens/src'
const clientTests = `${httpClient}/http-origin-client.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const push = [
  {
    name: 'push-not-twice',
    promise: promises.sentOnce,
    guards: 'what a server may have processed is not sent again',
    file: `${httpClient}/http-origin-client.ts`,
    find: 'if (isRepeated || !isUnprocessed(error)) throw error',
    replace: 'if (isRepeated || isUnprocessed(error)) throw error',
    tests: { file: clientTests, name: 'is a failure, and not tried again' },
  },
  {
    name: 'push-origin-gate',
    promise: promises.survivesOutages,
    guards: 'a push service that fails is left alone',
    file: `${source}/sending/gated-origin.ts`,
    find: 'const failuresToClose = 5',
    replace: 'const failuresToClose = 5e9',
    tests: { file: `${source}/sending/origin-gate.test.ts`, name: 'by five failures in a row' },
  },
  {
    name: 'push-bad-device',
    promise: promises.deadLettered,
    guards: 'devices that are refused, a few among many, do not hold up their push service',
    file: `${source}/sending/endpoints-to-close.ts`,
    find: 'export const endpointsToClose = 10',
    replace: 'export const endpointsToClose = 1',
    tests: { file: `${source}/sending/origin-gate.test.ts`, name: 'nor do nine of them' },
  },
  {
    name: 'push-dead-guard',
    promise: promises.survivesOutages,
    guards: 'a channel that calls all its devices dead has few of them disabled',
    file: `${source}/sending/dead-guard.ts`,
    find: 'dead > deadToDoubt &&',
    replace: 'dead < 0 &&',
    tests: { file: `${source}/sending/dead-guard.test.ts`, name: 'calls all devices dead is doubted' },
  },
  {
    name: 'push-fcm-own-word',
    promise: promises.survivesOutages,
    guards: 'a device of FCM is dead by FCM’s own code only, and not by that of what stands in front of it',
    file: `${source}/fcm/parse-fcm-fault.ts`,
    find: 'fcmError.errorCode : undefined',
    replace: 'fcmError.errorCode : String(error.status)',
    tests: { file: `${source}/fcm/classify-fcm-answer.test.ts`, name: 'by FCM’s own word only' },
  },
  {
    name: 'push-fcm-settings',
    promise: promises.survivesOutages,
    guards: 'devices of FCM wait while the settings are wrong, instead of failing',
    file: `${source}/fcm/classify-fcm-answer.ts`,
    find: '[401, 403, 404].includes(status) ? refused : rejected',
    replace: '[401, 403, 404].includes(status) ? rejected : refused',
    tests: { file: `${source}/fcm/classify-fcm-answer.test.ts`, name: 'a minute for somebody to change the settings' },
  },
  {
    name: 'push-fcm-one-refresh',
    promise: promises.survivesOutages,
    guards: 'one request for an access token is under way at a time',
    file: `${accessTokens}/access-tokens.ts`,
    find: 'if (this.#underWay) return this.#underWay.done',
    replace: 'if (this.#underWay && this.#refreshes < 0) return this.#underWay.done',
    tests: { file: `${accessTokens}/access-tokens.test.ts`, name: 'is renewed once, however many requests' },
  },
  {
    name: 'push-apns-registered-since',
    promise: promises.survivesOutages,
    guards: 'a device that was registered after its token was dead is not disabled',
    file: `${source}/apns/classify-apns-answer.ts`,
    find: 'registeredAt >= timestamp',
    replace: 'registeredAt < 0',
    tests: { file: `${source}/apns/classify-apns-answer.test.ts`, name: 'it lives, and is tried again' },
  },
  {
    name: 'push-apns-one-stream',
    promise: promises.survivesOutages,
    guards: 'a connection to Apple has one stream until Apple has accepted a token on it',
    file: `${httpClient}/http2-carrier.ts`,
    find: 'let isProven = rules === undefined',
    replace: 'let isProven = true',
    tests: { file: `${httpClient}/http2-rules.test.ts`, name: 'a session has one stream at a time' },
  },
  {
    name: 'push-apns-token-updates',
    promise: promises.survivesOutages,
    guards: 'Apple gets no new token within 20 minutes of the last, whatever it answers',
    file: `${source}/apns/provider-tokens.ts`,
    find: 'const leastMs = 20 * minute',
    replace: 'const leastMs = 0',
    tests: { file: `${source}/apns/provider-tokens.test.ts`, name: 'within 20 minutes of the last' },
  },
  {
    name: 'push-mailings-unbounded',
    promise: promises.survivesOutages,
    guards: 'the devices of messages for many users are not all in memory at a time',
    file: `${source}/handle-push-notification.ts`,
    find: 'const leave = await mailingTurns.enter(',
    replace: 'const leave = await { enter: async (..._request: unknown[]) => () => void mailingTurns }.enter(',
    tests: { file: `${source}/handle-push-notification.test.ts`, name: 'are not read before its turn' },
  },
  {
    name: 'push-channels-together',
    promise: promises.survivesOutages,
    guards: 'phones hold up no browsers at the same origin',
    file: `${source}/origin-names.ts`,
    find: 'const place = `${channel} ${origin}`',
    replace: 'const place = origin',
    tests: { file: `${source}/origin-names.test.ts`, name: 'one for each channel' },
  },
]

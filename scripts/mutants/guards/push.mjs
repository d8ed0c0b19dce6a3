// @ts-check
import { promises } from '../promises.mjs'

const source = 'apps/push-worker/src'
const clientTests = `${source}/http/http-origin-client.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const push = [
  {
    name: 'push-not-twice',
    promise: promises.sentOnce,
    guards: 'what a server may have processed is not sent again',
    file: `${source}/http/http-origin-client.ts`,
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
    name: 'apns-registered-since',
    promise: promises.survivesOutages,
    guards: 'a device that was registered after its token was dead is not disabled',
    file: `${source}/apns/classify-apns-answer.ts`,
    find: 'Date.parse(registeredAt) >= timestamp',
    replace: 'Date.parse(registeredAt) < 0',
    tests: { file: `${source}/apns/classify-apns-answer.test.ts`, name: 'it lives, and is tried again' },
  },
  {
    name: 'apns-one-stream',
    promise: promises.survivesOutages,
    guards: 'a connection to Apple has one stream until Apple has accepted a token on it',
    file: `${source}/http/http2-carrier.ts`,
    find: 'let isProven = rules === undefined',
    replace: 'let isProven = true',
    tests: { file: `${source}/http/http2-rules.test.ts`, name: 'a session has one stream at a time' },
  },
  {
    name: 'apns-token-updates',
    promise: promises.survivesOutages,
    guards: 'Apple gets no new token within 20 minutes of the last, whatever it answers',
    file: `${source}/apns/provider-tokens.ts`,
    find: 'const leastMs = 20 * minute',
    replace: 'const leastMs = 0',
    tests: { file: `${source}/apns/provider-tokens.test.ts`, name: 'within 20 minutes of the last' },
  },
]

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
]

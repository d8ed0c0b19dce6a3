// @ts-check
import { promises } from '../promises.mjs'

const source = 'packages/worker-runtime/src'

/** @type {import('../mutant.mjs').Mutant[]} */
export const runtime = [
  {
    name: 'grace-period',
    promise: promises.stops,
    guards: 'the grace period ends',
    file: `${source}/stop-worker.ts`,
    find: 'broughtUp]), shutdown.remainingMs()),',
    replace: 'broughtUp]), 2 ** 30),',
    tests: { file: `${source}/stop-worker.test.ts`, name: 'by the end of the grace period' },
  },
  {
    name: 'stop-step-limit',
    promise: promises.stops,
    guards: 'no step of a stop holds up the end',
    file: `${source}/stop-worker.ts`,
    find: 'await settleWithin(step, { ms: stepLimitMs, createError })',
    replace: 'await settleWithin(step, { ms: stepLimitMs * 1e4, createError })',
    tests: { file: `${source}/stop-worker.test.ts`, name: 'does not wait for ever' },
  },
]

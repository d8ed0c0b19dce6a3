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
  {
    name: 'signal-while-loading',
    promise: promises.stops,
    guards: 'a signal counts from the first instant',
    file: 'apps/chat-worker/src/main.ts',
    find: 'endAtSignals({ code: 0 })',
    replace: 'void endAtSignals',
    tests: { file: 'apps/chat-worker/test/stop.test.ts', name: 'while it still loads' },
  },
  {
    name: 'migration-without-client',
    promise: promises.stops,
    guards: 'a migration whose process has gone holds no lock',
    file: `${source}/migrations.ts`,
    find: "client_connection_check_interval = '500ms'",
    replace: 'client_connection_check_interval = 0',
    tests: {
      file: 'packages/worker-runtime/test/migrate-process.test.ts',
      name: 'that gets SIGTERM in a long statement',
    },
  },
]

// @ts-check
import { promises } from '../promises.mjs'

const application = 'examples/application'
const relaying = `${application}/test/outbox.test.ts`
const outages = `${application}/test/outbox-outages.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const outbox = [
  {
    name: 'outbox-commit-order',
    promise: promises.keepsOrder,
    guards: 'a key is locked until the commit, so that positions follow commits',
    file: `${application}/migrations/0001_create-outbox.sql`,
    find: '  PERFORM pg_advisory_xact_lock(',
    replace: '  PERFORM (',
    tests: { file: relaying, name: 'commits last is sent last' },
  },
  {
    name: 'outbox-confirmed-before-next',
    promise: promises.keepsOrder,
    guards: 'a message waits until the one before it in its key is confirmed',
    file: `${application}/src/outbox/run-pass.ts`,
    find: '${message.tenantId} ${message.orderKey}',
    replace: '${message.position}',
    tests: { file: relaying, name: 'loses its lease' },
  },
  {
    name: 'outbox-delete-after-confirm',
    promise: promises.nothingLost,
    guards: 'a row is deleted when the broker has confirmed its message',
    file: `${application}/src/outbox/run-pass.ts`,
    find: '          outcome = { heldBy: error }\n',
    replace: '          deletions.add(message.position)\n          outcome = { heldBy: error }\n',
    tests: { file: outages, name: 'while the broker is away' },
  },
  {
    name: 'outbox-lease',
    promise: promises.sentOnce,
    guards: 'a relay whose lane is another’s sends nothing more of it',
    file: `${application}/src/outbox/relay.ts`,
    find: '!isStopping && lease.isValid',
    replace: '!isStopping',
    tests: { file: relaying, name: 'loses its lease' },
  },
  {
    name: 'outbox-held-not-marked',
    promise: promises.survivesOutages,
    guards: 'what the broker cannot take now is not given up',
    file: `${application}/src/services/send-committed.ts`,
    find: "error.code === 'PUBLISH_FORBIDDEN'",
    replace: "error.code !== 'PUBLISH_TIMEOUT'",
    tests: { file: outages, name: 'while its queue does not exist' },
  },
]

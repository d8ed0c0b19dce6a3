// @ts-check
import { promises } from '../promises.mjs'

const source = 'packages/rascal-config/src'
const queues = { file: `${source}/topology.test.ts`, name: 'with fixed arguments' }
const recovery = { file: `${source}/create-worker-broker-config.test.ts`, name: 'the recovery connection' }

/** @type {import('../mutant.mjs').Mutant[]} */
export const topology = [
  {
    name: 'delivery-limit',
    promise: promises.diesAlone,
    guards: 'a message that no consumer survives is dead-lettered',
    file: `${source}/queues.ts`,
    find: "      'x-delivery-limit': queue.deliveryLimit,\n",
    replace: '',
    tests: queues,
  },
  {
    name: 'reject-publish',
    promise: promises.nothingLost,
    guards: 'a full queue refuses the publisher rather than dropping its oldest message',
    file: `${source}/queues.ts`,
    find: "dead-lettering needs it.\n      'x-overflow': 'reject-publish',\n",
    replace: 'dead-lettering needs it.\n',
    tests: queues,
  },
  {
    name: 'dead-letter-at-least-once',
    promise: promises.nothingLost,
    guards: 'the broker loses no message on its way to the dead-letter queue',
    file: `${source}/queues.ts`,
    find: "loses the message.\n      'x-dead-letter-strategy': 'at-least-once',\n",
    replace: 'loses the message.\n',
    tests: queues,
  },
  {
    name: 'copy-confirmed',
    promise: promises.nothingLost,
    guards: 'the broker confirms the copy of a message that is retried or given up',
    file: `${source}/publications.ts`,
    find: 'confirm: true',
    replace: 'confirm: false',
    tests: recovery,
  },
  {
    name: 'copy-mandatory',
    promise: promises.nothingLost,
    guards: 'a copy that no queue takes comes back',
    file: `${source}/publications.ts`,
    find: 'mandatory: true',
    replace: 'mandatory: false',
    tests: recovery,
  },
  {
    name: 'channel-without-timeout',
    promise: promises.survivesOutages,
    guards: 'a copy that waits for a channel is not given up',
    file: `${source}/create-worker-broker-config.ts`,
    find: 'acquireTimeoutMillis: 0',
    replace: 'acquireTimeoutMillis: 15_000',
    tests: recovery,
  },
]

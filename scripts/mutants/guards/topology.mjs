// @ts-check
import { promises } from '../promises.mjs'

const source = 'packages/rascal-config/src'
const queues = { file: `${source}/topology.test.ts`, name: 'with fixed arguments' }
const configs = `${source}/create-rascal-configs`
const publications = { file: `${configs}.test.ts`, name: 'a confirmed, mandatory, persistent publication' }

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
    tests: publications,
  },
  {
    name: 'copy-mandatory',
    promise: promises.nothingLost,
    guards: 'a copy that no queue takes comes back',
    file: `${source}/publications.ts`,
    find: 'mandatory: true',
    replace: 'mandatory: false',
    tests: publications,
  },
  {
    name: 'channel-without-timeout',
    promise: promises.survivesOutages,
    guards: 'a copy that waits for a channel is not given up',
    file: `${configs}.ts`,
    find: 'acquireTimeoutMillis: 0',
    replace: 'acquireTimeoutMillis: 15_000',
    tests: { file: `${configs}.test.ts`, name: 'lets a copy wait for a channel without end' },
  },
]

// @ts-check

const source = 'packages/rascal-config/src'
const queues = { file: `${source}/topology.test.ts`, name: 'with fixed arguments' }
const recovery = { file: `${source}/create-worker-broker-config.test.ts`, name: 'the recovery connection' }

/** @type {import('../mutant.mjs').Mutant[]} */
export const topology = [
  {
    name: 'delivery-limit',
    guards: 'a message that no consumer survives is dead-lettered',
    file: `${source}/queues.ts`,
    find: "      'x-delivery-limit': queue.deliveryLimit,\n",
    replace: '',
    tests: queues,
  },
  {
    name: 'reject-publish',
    guards: 'a full queue refuses the publisher rather than dropping its oldest message',
    file: `${source}/queues.ts`,
    find: "dead-lettering needs it.\n      'x-overflow': 'reject-publish',\n",
    replace: 'dead-lettering needs it.\n',
    tests: queues,
  },
  {
    name: 'dead-letter-at-least-once',
    guards: 'the broker loses no message on its way to the dead-letter queue',
    file: `${source}/queues.ts`,
    find: "loses the message.\n      'x-dead-letter-strategy': 'at-least-once',\n",
    replace: 'loses the message.\n',
    tests: queues,
  },
  {
    name: 'copy-confirmed',
    guards: 'the broker confirms the copy of a message that is retried or given up',
    file: `${source}/publications.ts`,
    find: 'confirm: true',
    replace: 'confirm: false',
    tests: recovery,
  },
  {
    name: 'copy-mandatory',
    guards: 'a copy that no queue takes comes back',
    file: `${source}/publications.ts`,
    find: 'mandatory: true',
    replace: 'mandatory: false',
    tests: recovery,
  },
  {
    name: 'recovery-connection',
    guards: 'a blocked copy does not hold up the acks: copies have a connection of their own',
    file: `${source}/create-worker-broker-config.ts`,
    find: `      [connectionEntry.work]: createWorkEntry(options),
      [connectionEntry.recovery]: createRecoveryEntry(options),
`,
    replace: `      [connectionEntry.work]: { ...createRecoveryEntry(options), ...createWorkEntry(options), publications:
        createRecoveryPublications(workQueues[options.queue]) },
`,
    tests: recovery,
  },
  {
    name: 'channel-without-timeout',
    guards: 'a copy that waits for a channel is not given up',
    file: `${source}/create-worker-broker-config.ts`,
    find: 'acquireTimeoutMillis: 0',
    replace: 'acquireTimeoutMillis: 15_000',
    tests: recovery,
  },
]

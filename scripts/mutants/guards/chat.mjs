// @ts-check
import { promises } from '../promises.mjs'

const app = 'apps/chat-worker'
const storing = `${app}/test/chat-store.test.ts`
const handling = `${app}/src/handle-chat-batch.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const chat = [
  {
    name: 'chat-ack-after-store',
    promise: promises.nothingLost,
    guards: 'a message is acknowledged when it is stored',
    file: `${app}/src/handle-chat-batch.ts`,
    find: 'await store.storeBatch(messages.map(({ payload }) => payload))',
    replace: 'await store.storeBatch(messages.map(({ payload }) => payload)).catch(() => [])',
    tests: { file: handling, name: 'that is away fails the batch' },
  },
  {
    name: 'chat-refusing-listener',
    promise: promises.nothingLost,
    guards: 'a listener whose queue refuses broadcasts gives up no message',
    file: `${app}/src/broadcaster.ts`,
    find: 'if (!(error instanceof QueueFullError)) throw error',
    replace: 'throw error',
    tests: { file: `${app}/test/chat-worker.test.ts`, name: 'listener whose queue refuses' },
  },
  {
    name: 'chat-row-lock',
    promise: promises.storedOnce,
    guards: 'sequences are without gaps and in the order of commits: the conversation’s row is locked',
    file: `${app}/src/store-together.ts`,
    find: ' FOR UPDATE OF conversations SKIP LOCKED',
    replace: '',
    tests: { file: storing, name: 'without gaps' },
  },
  {
    name: 'chat-lock-of-another',
    promise: promises.storedOnce,
    guards: 'nobody waits for long for the lock of somebody else',
    file: `${app}/src/store-together.ts`,
    find: "  SET LOCAL lock_timeout = '1s';\n",
    replace: '',
    tests: { file: storing, name: 'is inserting holds up its conversation only' },
  },
  {
    name: 'chat-redelivery',
    promise: promises.storedOnce,
    guards: 'a redelivery takes no sequence',
    file: `${app}/src/store-together.ts`,
    find: '    if (present !== undefined) {\n',
    replace: '    if (present !== undefined && present.sequence < 0) {\n',
    tests: { file: storing, name: 'takes no sequence' },
  },
]

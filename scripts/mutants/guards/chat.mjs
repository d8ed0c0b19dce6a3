// @ts-check
import { promises } from '../promises.mjs'

const app = 'apps/chat-worker'
const storing = `${app}/test/chat-store.test.ts`
const handling = `${app}/src/handle-chat-message.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const chat = [
  {
    name: 'chat-ack-after-store',
    promise: promises.nothingLost,
    guards: 'a message is acknowledged when it is stored',
    file: `${app}/src/handle-chat-message.ts`,
    find: 'const { stored, isNew } = await store.storeMessage(payload)',
    replace: `const storing = store.storeMessage(payload)
      if (storing instanceof Promise) return void storing.catch(() => {})
      const { stored, isNew } = await storing`,
    tests: { file: handling, name: 'could not be stored' },
  },
  {
    name: 'chat-one-at-a-time',
    promise: promises.storedOnce,
    guards: 'a conversation’s messages are handled one after the other',
    file: `${app}/src/serialize-by-key.ts`,
    find: 'previous === undefined ? work(...args) : previous.then(() => work(...args))',
    replace: 'work(...args)',
    tests: { file: handling, name: 'one message at a time' },
  },
  {
    name: 'chat-row-lock',
    promise: promises.storedOnce,
    guards: 'sequences are without gaps and in the order of commits: the conversation’s row is locked',
    file: `${app}/src/chat-store.ts`,
    find: ' FOR UPDATE',
    replace: '',
    tests: { file: storing, name: 'without gaps' },
  },
  {
    name: 'chat-redelivery',
    promise: promises.storedOnce,
    guards: 'a redelivery takes no sequence',
    file: `${app}/src/chat-store.ts`,
    find: "    await client.query('ROLLBACK')\n    return undefined\n",
    replace: `    await client.query(
      'UPDATE chat.conversations SET last_sequence = $3 WHERE tenant_id = $1 AND conversation_id = $2',
      [message.tenantId, message.conversationId, sequence],
    )
    await client.query('COMMIT')
    return undefined
`,
    tests: { file: storing, name: 'takes no sequence' },
  },
]

// @ts-check

const app = 'apps/chat-worker'
const storing = `${app}/test/chat-store.test.ts`
const handling = `${app}/src/handle-chat-message.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const chat = [
  {
    name: 'chat-ack-after-store',
    guards: 'a message is acknowledged when it is stored',
    file: `${app}/src/handle-chat-message.ts`,
    find: 'const { stored, isNew } = await store.storeMessage(payload)',
    replace: `const storing = store.storeMessage(payload)
      if (storing instanceof Promise) return void storing.catch(() => {})
      const { stored, isNew } = await storing`,
    tests: { file: handling, name: 'could not be stored' },
  },
  {
    name: 'chat-ack-after-broadcast',
    guards: 'a message is acknowledged when it is broadcast',
    file: `${app}/src/handle-chat-message.ts`,
    find: 'await broadcaster.broadcastChatMessage(stored, { signal })',
    replace: 'broadcaster.broadcastChatMessage(stored, { signal }).catch(() => {})',
    tests: { file: handling, name: 'a broadcast that fails is retried' },
  },
  {
    name: 'chat-one-at-a-time',
    guards: 'a conversation’s messages are handled one after the other',
    file: `${app}/src/serialize-by-key.ts`,
    find: 'previous === undefined ? work(...args) : previous.then(() => work(...args))',
    replace: 'work(...args)',
    tests: { file: handling, name: 'one message at a time' },
  },
  {
    name: 'chat-row-lock',
    guards: 'sequences are without gaps and in the order of commits: the conversation’s row is locked',
    file: `${app}/src/chat-store.ts`,
    find: ' FOR UPDATE',
    replace: '',
    tests: { file: storing, name: 'without gaps' },
  },
  {
    name: 'chat-id-conflict',
    guards: 'another message with an id that is taken is refused',
    file: `${app}/src/chat-store.ts`,
    find: 'if (differences.length === 0) return',
    replace: 'if (differences.length >= 0) return',
    tests: { file: storing, name: 'is a conflict' },
  },
  {
    name: 'chat-redelivery',
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
  {
    name: 'chat-tenant',
    guards: 'the message with an id is looked for in its own tenant',
    file: `${app}/src/chat-store.ts`,
    find: 'FROM chat.messages WHERE tenant_id = $1 AND message_id = $2',
    replace: 'FROM chat.messages WHERE $1::bigint > 0 AND message_id = $2 ORDER BY tenant_id',
    tests: { file: storing, name: 'in another tenant' },
  },
  {
    name: 'chat-connection-ended',
    guards: 'a connection is not given back in the middle of a transaction',
    file: `${app}/src/chat-store.ts`,
    find: 'client.release(true)',
    replace: 'client.release()',
    tests: { file: `${app}/src/chat-store.test.ts` },
  },
]

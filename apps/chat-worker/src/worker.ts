import { runWorker } from '@mono/worker-runtime'
import { createChatWork } from './create-chat-work.js'
import { readChatEnv } from './env.js'

await runWorker({
  name: 'chat-worker',
  readEnv: () => readChatEnv(),
  schema: 'chat',
  probeTable: 'chat.trials',
  probeStatements: [
    `WITH conversation AS (
       INSERT INTO chat.conversations (tenant_id, conversation_id) VALUES (0, gen_random_uuid()::text) RETURNING *
     )
     INSERT INTO chat.messages
       (tenant_id, message_id, conversation_id, sequence, sender_id, content, message_type, sent_at)
     SELECT tenant_id, conversation_id, conversation_id, 1, '', '', '', now() FROM conversation`,
    'UPDATE chat.conversations SET last_sequence = last_sequence WHERE false',
    'INSERT INTO chat.trials SELECT (NULL::chat.trials).* WHERE false',
  ],
  async start({ env, pool, messageQueue, judged, onSettled, signal }) {
    const { handler, options, countRefusedBroadcasts } = createChatWork({ env, pool, messageQueue })
    const consumer = await messageQueue.consumeBatches('chat.messages', judged.batch(handler), {
      ...options,
      onSettled,
    })
    // The worker is ready when it can broadcast, too. After the consumer, which says for both that the broker is away.
    await messageQueue.connect({ deadlineMs: Number.POSITIVE_INFINITY, signal })
    return {
      consumer,
      metrics: [
        {
          kind: 'counter',
          name: 'mono_broadcasts_refused_total',
          help: 'Broadcasts that the queue of a listener has refused',
          read: countRefusedBroadcasts,
        },
      ],
    }
  },
})

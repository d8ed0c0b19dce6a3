import type { GetMessage } from 'amqplib'
import { expect, test } from 'vitest'
import { toDeadLetter } from './dead-letter.js'

test.each(['chat.messages', 'chat.messages.migrating'])(
  'what the broker has dead-lettered from %s is known by where it was published',
  (queue) => {
    const death = { queue, reason: 'expired', exchange: 'messages', 'routing-keys': ['chat.group'] }
    const message = { content: Buffer.from('{}'), properties: { messageId: 'm', headers: { 'x-death': [death] } } }
    expect(toDeadLetter('chat.messages', message as unknown as GetMessage)).toMatchObject({
      code: 'EXPIRED',
      origin: { exchange: 'messages', routingKey: 'chat.group' },
    })
  },
)

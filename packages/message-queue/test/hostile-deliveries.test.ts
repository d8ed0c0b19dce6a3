import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'

const chat = examples['chat.message']
const good = JSON.stringify(chat)

const hostile: { what: string; headers?: object; properties?: object; code?: string; names?: string }[] = [
  { what: 'an x-death that is text', headers: { 'x-death': 'boo' }, code: 'INVALID_HEADERS', names: 'x-death' },
  { what: 'a negative x-attempts', headers: { 'x-attempts': -1e9 }, code: 'INVALID_HEADERS', names: 'x-attempts' },
  { what: '70 KiB of headers', headers: { big: 'x'.repeat(70 * 1024) }, code: 'INVALID_HEADERS', names: 'headers' },
  {
    what: 'a message_id of 129 bytes',
    properties: { messageId: 'x'.repeat(129) },
    code: 'INVALID_HEADERS',
    names: 'message_id',
  },
  {
    what: 'an encryption profile of rascal',
    headers: { rascal: { encryption: { name: 'none' } } },
  },
  {
    what: 'a forged rascal recovery',
    headers: {
      rascal: {
        restoreRoutingHeaders: true,
        originalRoutingKey: 'audit.compliance',
        recovery: { 'chat.messages': { immediateNack: true, forwarded: -1e9 } },
      },
    },
  },
  { what: 'a rascal header that is text', headers: { rascal: 'boo' } },
]

for (const { what, headers = {}, properties, code, names } of hostile) {
  test(`${what} does not stop the consumer`, async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const routingKeys: string[] = []
    const consumer = await messageQueue.consumeMessages('chat.messages', async ({ routingKey }) => {
      routingKeys.push(routingKey)
    })
    if (properties) await vhost.publish('messages', 'chat.direct', good, { headers, ...properties })
    else await vhost.publishUnchecked('messages', 'chat.direct', good, headers)
    if (code) {
      const [letter] = await vhost.drainQueue('chat.messages.dlq', 1)
      expect(letter?.headers['x-failure-code']).toBe(code)
      expect(letter?.headers['x-failure-message']).toContain(names)
      expect(letter?.body.toString()).toBe(good)
    }
    await vhost.publish('messages', 'chat.group', good)
    await waitFor(() => routingKeys.includes('chat.group'), { what: 'the next message' })
    expect(routingKeys).toEqual(code ? ['chat.group'] : ['chat.direct', 'chat.group'])
    expect(consumer.state).toBe('consuming')
    expect(await vhost.countMessages('chat.messages.dlq')).toBe(0)
  })
}

import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'

const good = JSON.stringify(examples['push.notification'])

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
        recovery: { 'push.notifications': { immediateNack: true, forwarded: -1e9 } },
      },
    },
  },
  { what: 'a rascal header that is text', headers: { rascal: 'boo' } },
]

for (const { what, headers = {}, properties, code, names } of hostile) {
  test(`${what} does not stop the consumer`, async ({ vhost, cleanUp }) => {
    const messageQueue = openMessageQueue({ vhost, cleanUp })
    const routingKeys: string[] = []
    const consumer = await messageQueue.consumeMessages('push.notifications', async ({ routingKey }) => {
      routingKeys.push(routingKey)
    })
    if (properties) await vhost.publish('notifications', 'push.web', good, { headers, ...properties })
    else await vhost.publishUnchecked('notifications', 'push.web', good, headers)
    if (code) {
      const [letter] = await vhost.drainQueue('push.notifications.dlq', 1)
      expect(letter?.headers['x-failure-code']).toBe(code)
      expect(letter?.headers['x-failure-message']).toContain(names)
      expect(letter?.body.toString()).toBe(good)
    }
    await vhost.publish('notifications', 'push.mobile', good)
    await waitFor(() => routingKeys.includes('push.mobile'), { what: 'the next message' })
    expect(routingKeys).toEqual(code ? ['push.mobile'] : ['push.web', 'push.mobile'])
    expect(consumer.state).toBe('consuming')
    expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  })
}

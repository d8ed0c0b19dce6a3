import { examples } from '@mono/contracts'
import { test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'

const event = { ...examples['audit.event'], tenantId: 7 }
const json = JSON.stringify(event)
const utf8Mark = Buffer.from([0xef, 0xbb, 0xbf])

test.for([
  ['a byte order mark', Buffer.concat([utf8Mark, Buffer.from(json)]), {}],
  ['content_encoding UTF-8', Buffer.from(json), { contentEncoding: 'UTF-8' }],
  ['content_encoding utf8', Buffer.from(json), { contentEncoding: 'utf8' }],
  ['content_encoding Identity', Buffer.from(json), { contentEncoding: 'Identity' }],
  ['an empty content_encoding', Buffer.from(json), { contentEncoding: '' }],
  ['content_type text/plain', Buffer.from(json), { contentType: 'text/plain; charset=us-ascii' }],
] as const)('a message with %s is taken', async ([, body, properties], { vhost, cleanUp }) => {
  await vhost.importDefinitions()
  const tenants: number[] = []
  await openMessageQueue({ vhost, cleanUp }).consumeMessages('audit.events', async ({ tenantId }) => {
    tenants.push(tenantId)
  })
  await vhost.publish('audit', 'audit.track', body, { messageId: 'm1', ...properties })
  await waitFor(() => tenants.length === 1, { what: 'the message' })
  expect(tenants).toEqual([7])
})

test.for([
  ['UTF-16', Buffer.from(`\uFEFF${json}`, 'utf16le'), {}, 'INVALID_JSON', 'body: expected JSON in UTF-8, found UTF-16'],
  [
    'gzip',
    Buffer.from([0x1f, 0x8b]),
    { contentEncoding: 'gzip' },
    'INVALID_HEADERS',
    'content_encoding is gzip; send the JSON itself',
  ],
  [
    'another type',
    Buffer.from('<a/>'),
    { contentType: 'application/xml' },
    'INVALID_JSON',
    'body: expected JSON, found text that does not parse (content_type is application/xml)',
  ],
] as const)('a message in %s is dead-lettered with its name', async (row, { vhost, cleanUp }) => {
  const [, body, properties, code, reason] = row
  await vhost.importDefinitions()
  await openMessageQueue({ vhost, cleanUp }).consumeMessages('audit.events', async () => {})
  await vhost.publish('audit', 'audit.track', body, { messageId: 'm1', ...properties })
  const [dead] = await vhost.drainQueue('audit.events.dlq', 1)
  expect(dead?.headers).toMatchObject({ 'x-failure-code': code, 'x-failure-message': reason })
  expect(dead?.body.equals(body)).toBe(true)
})

import { examples, type PushNotification } from '@mono/contracts'
import { expect, test } from 'vitest'
import { toWebContent } from './to-web-content.js'

const options = { ttlSeconds: 60, urgency: 'high', topic: 'room' } as const

const toContent = (fields: Partial<PushNotification> = {}, messageId = 'm') =>
  toWebContent({
    notification: { ...examples['push.notification'], ...fields },
    messageId,
    options: { ...options, extras: { badge: 1 } },
  })

const payloadOf = (content: ReturnType<typeof toContent>) => JSON.parse(String(content?.payload))

test('the payload is title, body, data and the message id as tag, and no recipients', () => {
  const { title, body, data } = examples['push.notification']
  expect(payloadOf(toContent({}, 'message-1'))).toEqual({ title, body, data, tag: 'message-1' })
  expect(payloadOf(toContent({ data: undefined }))).not.toHaveProperty('data')
  const { payload: _, ...headers } = toContent() ?? expect.fail('Expected a content')
  expect(headers).toEqual(options)
})

test('3993 bytes are taken and 3994 are not', () => {
  const empty = toContent({ body: '' })?.payload.length ?? 0
  const ofLength = (bytes: number) => toContent({ body: 'x'.repeat(bytes - empty) })
  expect(ofLength(3993)?.payload).toHaveLength(3993)
  expect(ofLength(3994)).toBeUndefined()
})

test('the largest notification that the contracts let pass is taken, with the longest id', () => {
  const rest = Buffer.byteLength(JSON.stringify({ title: '', body: '', data: {} }))
  const largest = { title: '', body: 'x'.repeat(3500 - rest), data: {} }
  expect(toContent(largest, '"'.repeat(128))).toBeDefined()
})

import { waitFor } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createFakePublisher } from '../../test/support/fake-publisher.js'

const forbidden =
  "ACCESS_REFUSED - write access to topic 'chat.group' in exchange 'messages' in vhost 'mono' refused for user 'u'"

function closeOver(text: string, code = 403): Error {
  const error = new Error(`Channel closed by server: ${code} (X) with message "${text}"`)
  return Object.assign(error, { code, classId: 60, methodId: 40 })
}

const group = { routingKey: 'chat.group' }

test('of those in flight the one that the broker names fails, and the others are sent again in order', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const sent = [publish('a'), publish('b', group), publish('c'), publish('d', group)]
  await settle()
  channel().fail(closeOver(forbidden))
  await settle()
  expect(channel().bodies).toEqual(['a', 'c'])
  channel().ackAll()
  await settle()
  const error = expect.objectContaining({ code: 'PUBLISH_FORBIDDEN', message: expect.stringContaining(forbidden) })
  expect(sent.map(({ outcome }) => outcome)).toEqual(['resolved', error, 'resolved', error])
})

test('what came after the refused one never arrived; what came before it may have', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const sent = [publish('a'), publish('b', group), publish('c')]
  await settle()
  channel().fail(closeOver(forbidden))
  await settle()
  for (const tag of [1, 2]) channel().nack(tag)
  await settle()
  const codes = sent.map(({ outcome }) => (outcome as unknown as { code: string }).code)
  expect(codes).toEqual(['PUBLISH_TIMEOUT', 'PUBLISH_FORBIDDEN', 'QUEUE_FULL'])
})

test('a refused one that was sent before its connection was lost may have arrived then', async () => {
  const { publish, broker, channel, settle } = createFakePublisher()
  const sent = publish('a', group)
  await settle()
  broker.connections[0]?.lose()
  await settle()
  await waitFor(() => broker.connections[1]?.channels[0]?.bodies.length === 1, { what: 'the message to be sent again' })
  channel().fail(closeOver(forbidden))
  await settle()
  expect(sent.outcome).toMatchObject({ code: 'PUBLISH_TIMEOUT' })
})

test('each is sent by itself while the broker does not say which it was', async () => {
  const { publish, channel, settle } = createFakePublisher()
  const sent = [publish('a'), publish('b'), publish('c')]
  await settle()
  channel().fail(closeOver('PRECONDITION_FAILED - something new', 406))
  await settle()
  expect(channel().bodies).toEqual(['a'])
  publish('d')
  channel().ack(1)
  await settle()
  expect(channel().bodies).toEqual(['a', 'b'])
  channel().fail(closeOver('PRECONDITION_FAILED - something new', 406))
  await settle()
  expect(channel().bodies).toEqual(['c'])
  channel().ack(1)
  await settle()
  expect(channel().bodies).toEqual(['c', 'd'])
  expect(sent.map(({ outcome }) => outcome)).toEqual([
    'resolved',
    expect.objectContaining({ code: 'INVALID_MESSAGE', message: expect.stringContaining('something new') }),
    'resolved',
  ])
})

test.each([
  'message size 5 is larger than configured max size 4', // RabbitMQ 3.10 to 4.3
  'message size 5 is larger than max size 4',
])('a body is too large by the number that the broker gives: %s', async (text) => {
  const { publish, channel, settle } = createFakePublisher()
  const sent = [publish('a'), publish('12345'), publish('b')]
  await settle()
  channel().fail(closeOver(`PRECONDITION_FAILED - ${text}`, 406))
  await settle()
  expect(channel().bodies).toEqual(['a', 'b'])
  expect(sent[1]?.outcome).toMatchObject({
    code: 'INVALID_MESSAGE',
    issues: [{ path: 'body', reason: 'expected at most 4 bytes, as the broker is set, found 5' }],
  })
})

test('what was refused a moment ago is refused without asking', async () => {
  const { publish, channel, settle } = createFakePublisher()
  publish('a', group)
  await settle()
  channel().fail(closeOver(forbidden))
  const sent = publish('b', group)
  publish('c')
  await settle()
  expect(channel().bodies).toEqual(['c'])
  expect(sent.outcome).toMatchObject({ code: 'PUBLISH_FORBIDDEN' })
})

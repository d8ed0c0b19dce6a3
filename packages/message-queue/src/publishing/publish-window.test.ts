import { expect, test } from 'vitest'
import { createPendingMessage, type TestPendingMessage } from '../../test/support/pending-messages.js'
import { PublishWindow } from './publish-window.js'

function createWindow(...pendings: TestPendingMessage[]) {
  const window = new PublishWindow()
  for (const pending of pendings) window.add(pending)
  return window
}

const idsOf = (pendings: Iterable<{ messageId: string | undefined }>) => [...pendings].map(({ messageId }) => messageId)
const returned = (messageId: string, body = messageId, routingKey = 'chat.direct') => ({
  messageId,
  routingKey,
  body: Buffer.from(body),
})

test('a tag stands for the message sent at that place', () => {
  const window = createWindow(...['a', 'b', 'c'].map((id) => createPendingMessage(id)))
  expect(idsOf(window.take(2, false))).toEqual(['b'])
  expect(idsOf(window.values())).toEqual(['a', 'c'])
})

test('multiple takes all up to the tag, whatever is missing among them', () => {
  const window = createWindow(...['a', 'b', 'c', 'd'].map((id) => createPendingMessage(id)))
  window.take(2, false)
  expect(idsOf(window.take(3, true))).toEqual(['a', 'c'])
  expect([window.size, window.bytes]).toEqual([1, 1])
})

test('a tag that was taken before, or was never given, takes nothing', () => {
  const window = createWindow(createPendingMessage('a'))
  window.take(1, false)
  expect([window.take(1, false), window.take(1, true), window.take(9, false)]).toEqual([[], [], []])
})

test('a message that is settled early keeps its place until the broker answers', () => {
  const pending = createPendingMessage('a')
  const window = createWindow(pending)
  pending.reject(new Error('too late'))
  expect(window.size).toBe(1)
  expect(idsOf(window.take(1, false))).toEqual(['a'])
})

test('a return finds its message by id and routing key', () => {
  const window = createWindow(
    createPendingMessage('a'),
    createPendingMessage('b', { routingKey: 'chat.group' }),
    createPendingMessage('b'),
  )
  expect(window.takeReturned(returned('b'))).toBe([...window.values()][2])
  expect(window.takeReturned(returned('x'))).toBeUndefined()
})

test('with the same id twice in flight, the first return is for the first and the second for the second', () => {
  const [first, second] = [createPendingMessage('a'), createPendingMessage('a')]
  const window = createWindow(first, second)
  expect(window.takeReturned(returned('a'))).toBe(first)
  expect(window.takeReturned(returned('a'))).toBe(second)
  expect(window.takeReturned(returned('a'))).toBeUndefined()
})

test('with the same id twice in flight and different bodies, the body decides', () => {
  const routed = createPendingMessage('a', { body: Buffer.from('one') })
  const unroutable = createPendingMessage('a', { body: Buffer.from('two') })
  const window = createWindow(routed, unroutable)
  expect(window.takeReturned(returned('a', 'two'))).toBe(unroutable)
})

test('a message that is not mandatory cannot be the one that was returned', () => {
  const [relaxed, mandatory] = [createPendingMessage('a', { mandatory: false }), createPendingMessage('a')]
  const window = createWindow(relaxed, mandatory)
  expect(window.takeReturned(returned('a'))).toBe(mandatory)
})

test('sent again on another channel, a message can be returned again', () => {
  const pending = createPendingMessage('a')
  createWindow(pending).takeReturned(returned('a'))
  expect(createWindow(pending).takeReturned(returned('a'))).toBe(pending)
})

test('everything is taken out in the order of sending', () => {
  const window = createWindow(...['a', 'b', 'c'].map((id) => createPendingMessage(id)))
  window.take(2, false)
  expect(idsOf(window.takeAll())).toEqual(['a', 'c'])
  expect([window.size, window.bytes]).toEqual([0, 0])
})

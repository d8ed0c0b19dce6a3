import { expect, test } from 'vitest'
import { createPendingMessage } from '../../test/support/pending-messages.js'
import { PublishQueue } from './publish-queue.js'

function createQueue(...ids: string[]) {
  const queue = new PublishQueue()
  const pendings = ids.map((id) => createPendingMessage(id))
  for (const pending of pendings) queue.push(pending)
  return { queue, pendings }
}

const idsOf = (queue: PublishQueue) => [...queue].map(({ messageId }) => messageId)

test('gives the messages in the order they came', () => {
  const { queue } = createQueue('a', 'b', 'c')
  expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()].map((pending) => pending?.messageId)).toEqual([
    'a',
    'b',
    'c',
    undefined,
  ])
  expect([queue.size, queue.bytes]).toEqual([0, 0])
})

test('what is put back stands before all others, in its own order', () => {
  const { queue } = createQueue('c', 'd')
  queue.unshiftAll([createPendingMessage('a'), createPendingMessage('b')])
  expect(idsOf(queue)).toEqual(['a', 'b', 'c', 'd'])
})

test.each([0, 1, 2])('place %i can be taken out', (place) => {
  const { queue, pendings } = createQueue('a', 'b', 'c')
  const taken = pendings[place]
  if (taken) queue.remove(taken)
  expect(idsOf(queue)).toEqual(['a', 'b', 'c'].filter((_, index) => index !== place))
  queue.push(createPendingMessage('d'))
  expect(idsOf(queue)).toEqual([...['a', 'b', 'c'].filter((_, index) => index !== place), 'd'])
})

test('counts the bytes of the bodies', () => {
  const { queue, pendings } = createQueue('four', 'sevens!')
  expect(queue.bytes).toBe(11)
  pendings[0]?.reject(new Error('gave up'))
  expect([queue.size, queue.bytes]).toEqual([1, 7])
})

test('a message that is rejected leaves, also while the queue is gone through', () => {
  const { queue } = createQueue('a', 'b', 'c')
  for (const pending of queue) pending.reject(new Error('no'))
  expect([queue.size, queue.bytes, idsOf(queue)]).toEqual([0, 0, []])
})

test('a message of another queue is left alone', () => {
  const { queue } = createQueue('a')
  const other = createQueue('b')
  const [stranger] = other.pendings
  if (stranger) queue.remove(stranger)
  expect([queue.size, other.queue.size]).toEqual([1, 1])
})

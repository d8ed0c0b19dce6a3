import { examples } from '@mono/contracts'
import { type TestVhost, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { PermanentError, type ReceivedMessage } from '../src/index.js'
import { openMessageQueue } from './open-message-queue.js'

const queue = 'audit.events'
const event = { ...examples['audit.event'], tenantId: 7 }

/** As the management page's *Move messages* and a shovel do: to the default exchange, with everything it bears. */
async function moveDeadLetter(vhost: TestVhost): Promise<void> {
  const [dead] = await vhost.drainQueue(`${queue}.dlq`, 1)
  if (!dead) throw new Error('Expected a dead letter, found none')
  const { messageId, type, contentType } = dead.properties
  await vhost.publish('', queue, dead.body, { messageId, type, contentType, headers: dead.headers })
}

test('a dead letter that is moved by hand is what it was', async ({ vhost, cleanUp }) => {
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  const seen: ReceivedMessage<typeof queue>[] = []
  await messageQueue.consumeMessages(queue, async (message) => {
    seen.push(message)
    if (seen.length < 3) throw new PermanentError(`failure ${seen.length}`, { code: 'ID_CONFLICT' })
  })
  const { messageId } = await messageQueue.sendAuditEvent(event, { compliance: true })
  await moveDeadLetter(vhost)
  await moveDeadLetter(vhost)
  await waitFor(() => seen.length === 3, { what: 'the third try' })
  const same = { messageId, routingKey: 'audit.compliance', attempt: 1 }
  expect(seen).toMatchObject([
    same,
    { ...same, replayedAt: expect.any(Date) },
    { ...same, replayedAt: expect.any(Date) },
  ])
  expect(seen[2]?.headers).toMatchObject({
    'x-original-exchange': 'audit',
    'x-original-routing-key': 'audit.compliance',
    'x-failure-message': 'failure 2',
    'x-first-failure-message': 'failure 1',
  })
})

test('one that the broker let expire and somebody moves is done, however old it is', async ({ vhost, cleanUp }) => {
  await vhost.importDefinitions()
  const headers = { 'x-published-at': '2020-01-01T00:00:00.000Z' }
  await vhost.publish('audit', 'audit.compliance', event, { messageId: 'm1', headers, expiration: '1' })
  await moveDeadLetter(vhost)
  const seen: ReceivedMessage<typeof queue>[] = []
  await openMessageQueue({ vhost, cleanUp }).consumeMessages(queue, async (message) => void seen.push(message))
  await waitFor(() => seen.length === 1, { what: 'the message' })
  expect(seen[0]).toMatchObject({ messageId: 'm1', routingKey: 'audit.compliance' })
})

test('who writes into the queue by hand cannot have a replay publish elsewhere for him', async ({ vhost, cleanUp }) => {
  await vhost.importDefinitions()
  const messageQueue = openMessageQueue({ vhost, cleanUp })
  await messageQueue.consumeMessages(queue, async () => {})
  const elsewhere = await vhost.subscribe('realtime', '#')
  const headers = { 'x-original-exchange': 'realtime', 'x-original-routing-key': 'chat.7.1' }
  await vhost.publish('', queue, event, { messageId: 'm1', headers })
  await waitFor(async () => (await vhost.countMessages(`${queue}.dlq`)) === 1, { what: 'the dead letter' })
  const result = await messageQueue.replayDeadLetters(queue)
  expect(result).toMatchObject({ replayed: 0, failed: [{ deadLetter: { code: 'UNKNOWN_TYPE' } }] })
  expect(String(result.failed[0]?.error)).toContain(`put into ${queue} by hand`)
  expect(await vhost.countMessages(`${queue}.dlq`)).toBe(1)
  expect(await vhost.countMessages(elsewhere)).toBe(0)
})

test('what a publisher says of earlier failures is not believed', async ({ vhost, cleanUp }) => {
  await vhost.importDefinitions()
  const attempts: number[] = []
  await openMessageQueue({ vhost, cleanUp }).consumeMessages(queue, async ({ attempt }) => {
    attempts.push(attempt)
    throw new PermanentError('no', { code: 'ID_CONFLICT' })
  })
  const headers = {
    'x-attempts': 2,
    'x-first-failure-code': 'HANDLER_BUG',
    'x-first-failure-message': 'forged',
    'x-first-failure-at': '2020-01-01T00:00:00Z',
  }
  await vhost.publish('audit', 'audit.track', event, { messageId: 'm1', headers })
  const [dead] = await vhost.drainQueue(`${queue}.dlq`, 1)
  expect(attempts).toEqual([1])
  expect(dead?.headers).toMatchObject({ 'x-attempts': 1, 'x-failure-code': 'ID_CONFLICT' })
  expect(dead?.headers).not.toHaveProperty('x-first-failure-code')
})

import { examples } from '@mono/contracts'
import { createRecordingLogger, type TestVhost, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { openMessageQueue } from './open-message-queue.js'
import {
  countResults,
  createTestPublisher,
  declareQueue,
  publishAndReport,
  range,
  takeMessageIds,
} from './support/create-test-publisher.js'

const forbiddenKey = 'audit.compliance'

/** A user that may publish to `audit` with one routing key only. */
async function createRestrictedUser(vhost: TestVhost) {
  await declareQueue(vhost, 'audit')
  const user = await vhost.createUser()
  await user.setTopicPermission('audit', '^audit\\.track$')
  return user
}

const closedLine = 'The broker has refused messages and closed their channel'
const allowed = { exchange: 'audit', routingKey: 'audit.track' }
const forbidden = { exchange: 'audit', routingKey: forbiddenKey }

test('a user that may not write to an exchange is told so, by the broker’s own words and no password', async ({
  vhost,
  cleanUp,
}) => {
  await vhost.importDefinitions()
  const user = await vhost.createUser()
  await user.setPermissions({ write: '^messages$' })
  const messageQueue = openMessageQueue({ vhost, cleanUp }, { url: user.url })
  const error: unknown = await messageQueue.sendAuditEvent(examples['audit.event']).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    name: 'PublishForbiddenError',
    code: 'PUBLISH_FORBIDDEN',
    exchange: 'audit',
    routingKey: 'audit.track',
    user: user.name,
    message: expect.stringMatching(/not accepted.*access to exchange 'audit' in vhost .* refused for user/),
  })
  expect(String(error)).not.toContain(new URL(user.url).password)
  await messageQueue.sendChatMessage(examples['chat.message'])
})

test('among a thousand that are allowed exactly the forbidden one fails, and the others stay in order', async ({
  vhost,
  cleanUp,
}) => {
  const user = await createRestrictedUser(vhost)
  const publisher = createTestPublisher(cleanUp, { urls: [user.url] })
  const outcomes = await Promise.all(
    range(1, 1_001).map((id) => publishAndReport(publisher, id, id === '501' ? forbidden : allowed)),
  )
  expect(countResults(outcomes)).toEqual({ resolved: 1_000, PUBLISH_FORBIDDEN: 1 })
  expect(outcomes[500]?.error).toMatchObject({ messageId: '501', routingKey: forbiddenKey, user: user.name })
  const firsts = [...new Set(await takeMessageIds(vhost, 'audit'))]
  expect(firsts).toEqual(range(1, 1_001).filter((id) => id !== '501'))
})

test('a forbidden message that the broker’s text does not name is found all the same', async ({ vhost, cleanUp }) => {
  const user = await createRestrictedUser(vhost)
  await user.setTopicPermission('audit', '^(audit\\.track|l+)$')
  const publisher = createTestPublisher(cleanUp, { urls: [user.url] })
  const cut = { exchange: 'audit', routingKey: 'k'.repeat(255) }
  const outcomes = await Promise.all(
    range(1, 60).map((id) => publishAndReport(publisher, id, id === '20' || id === '40' ? cut : allowed)),
  )
  expect(countResults(outcomes)).toEqual({ resolved: 58, PUBLISH_FORBIDDEN: 2 })
  expect(outcomes[19]?.error?.message).toContain('access to topic')
  const firsts = [...new Set(await takeMessageIds(vhost, 'audit'))]
  expect(firsts).toEqual(range(1, 60).filter((id) => id !== '20' && id !== '40'))
})

test('whoever sends forbidden messages all the time does not slow the others', async ({ vhost, cleanUp }) => {
  const user = await createRestrictedUser(vhost)
  const logger = createRecordingLogger()
  const publisher = createTestPublisher(cleanUp, { urls: [user.url], logger })
  let isOver = false
  const codes = new Set<unknown>()
  async function insist(): Promise<void> {
    while (!isOver) {
      codes.add((await publishAndReport(publisher, 'x', forbidden)).result)
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  cleanUp(async () => {
    isOver = true
  })
  const insisting = Promise.all([insist(), insist(), insist()])
  const startedAt = performance.now()
  for (let round = 0; round < 20; round += 1) {
    const outcomes = await Promise.all(range(1, 200).map((id) => publishAndReport(publisher, id, allowed)))
    expect(countResults(outcomes)).toEqual({ resolved: 200 })
  }
  const seconds = (performance.now() - startedAt) / 1_000
  isOver = true
  await insisting
  expect([...codes]).toEqual(['PUBLISH_FORBIDDEN'])
  const closed = logger.lines.filter(({ message }) => message === closedLine)
  expect(closed.length).toBeLessThanOrEqual(Math.ceil(seconds) + 1)
})

test('a right that is granted is noticed without a new connection', async ({ vhost, cleanUp }) => {
  const user = await createRestrictedUser(vhost)
  const publisher = createTestPublisher(cleanUp, { urls: [user.url] })
  expect(await publishAndReport(publisher, '1', forbidden)).toMatchObject({ result: 'PUBLISH_FORBIDDEN' })
  await user.setTopicPermission('audit', '.*')
  await waitFor(async () => (await publishAndReport(publisher, '2', forbidden)).result === 'resolved', {
    what: 'the message to be taken',
  })
})

test('an internal exchange takes nothing from anybody', async ({ vhost, cleanUp }) => {
  await vhost.withChannel((channel) => channel.assertExchange('audit', 'topic', { internal: true }))
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  const outcome = await publishAndReport(publisher, '1', allowed)
  expect(outcome).toMatchObject({ result: 'PUBLISH_FORBIDDEN' })
  expect(outcome.error?.message).toContain('internal exchange')
})

test('one that the broker refuses for its own sake is invalid, and those beside it are sent', async ({
  vhost,
  cleanUp,
}) => {
  await declareQueue(vhost, 'messages')
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
  const properties = { messageId: '5', type: 'chat.message', headers: { CC: 'no list' } }
  const outcomes = await Promise.all(
    range(1, 10).map((id) => publishAndReport(publisher, id, id === '5' ? { properties } : {})),
  )
  expect(countResults(outcomes)).toEqual({ resolved: 9, INVALID_MESSAGE: 1 })
  expect(outcomes[4]?.error?.message).toContain('PRECONDITION_FAILED - invalid message')
})

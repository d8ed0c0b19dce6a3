import { createTcpProxy, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import {
  countResults,
  createTestPublisher,
  declareQueue,
  publishAndReport,
  range,
  takeMessageIds,
} from './support/create-test-publisher.js'
import { createOutgoingMessage } from './support/pending-messages.js'

test('while the broker is away messages wait until their deadline, and are told why', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  await proxy.down()
  const publisher = createTestPublisher(cleanUp, { urls: [proxy.url(vhost.url)] })
  const [early, patient] = [
    publishAndReport(publisher, '1', { deadlineMs: 400 }),
    publishAndReport(publisher, '2', { deadlineMs: 20_000 }),
  ]
  const { result, error, afterMs } = await early
  expect(result).toBe('QUEUE_UNAVAILABLE')
  expect(error).toMatchObject({ reason: 'deadline', message: expect.stringContaining('ECONNREFUSED') })
  expect(afterMs).toBeGreaterThanOrEqual(399)
  expect(afterMs).toBeLessThan(1_400)
  expect([publisher.state, publisher.connected, publisher.buffered]).toEqual(['connecting', false, 1])
  await proxy.up()
  expect(await patient).toMatchObject({ result: 'resolved' })
  expect([publisher.state, publisher.connected, publisher.buffered]).toEqual(['open', true, 0])
})

test('while the broker is away no more is kept than the buffer holds', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  await proxy.down()
  const publisher = createTestPublisher(cleanUp, { urls: [proxy.url(vhost.url)], maxBufferedMessages: 100 })
  const kept = range(1, 100).map((messageId) => publishAndReport(publisher, messageId))
  const refused = await Promise.all(range(101, 150).map((messageId) => publishAndReport(publisher, messageId)))
  expect(refused.every(({ error }) => error?.reason === 'buffer-full')).toBe(true)
  expect(publisher.buffered).toBe(100)
  await proxy.up()
  expect(countResults(await Promise.all(kept))).toEqual({ resolved: 100 })
  expect(await takeMessageIds(vhost, 'messages')).toEqual(range(1, 100))
})

test('wrong credentials are named, without the password', async ({ vhost, cleanUp }) => {
  const url = new URL(vhost.url)
  url.password = 'wrong-secret'
  const publisher = createTestPublisher(cleanUp, { urls: [url.href] })
  const { error } = await publishAndReport(publisher, '1', { deadlineMs: 1_000 })
  expect(error).toMatchObject({ code: 'QUEUE_UNAVAILABLE', message: expect.stringContaining('ACCESS_REFUSED') })
  expect(error?.message).not.toContain('wrong-secret')
})

test('of several nodes it takes one that answers', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const [dead, hanging] = [await createTcpProxy({ target: vhost.url }), await createTcpProxy({ target: vhost.url })]
  cleanUp(() => Promise.all([dead.close(), hanging.close()]))
  await dead.down()
  hanging.freeze()
  const publisher = createTestPublisher(cleanUp, {
    urls: [dead.url(vhost.url), hanging.url(vhost.url), vhost.url],
    limits: { connectTimeoutMs: 300 },
  })
  await publisher.publish(createOutgoingMessage('1', { deadlineMs: 3_000 }))
  expect(hanging.connections).toBe(1)
})

test('the connection bears its name', async ({ vhost, cleanUp }) => {
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url], connectionName: 'app publishing' })
  await publisher.connect()
  const names = await waitFor(
    async () => {
      const closed = await vhost.closeConnections()
      return closed.length > 0 && closed
    },
    { what: 'the connection in the list of the broker' },
  )
  expect(names).toEqual([expect.stringContaining('app publishing')])
  await waitFor(() => publisher.lastError, { what: 'the loss' })
  expect(publisher.lastError?.message).toContain('closed by a test')
  await publisher.connect()
})

test('cut again and again, every message settles, and what resolved is in the queue', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const publisher = createTestPublisher(cleanUp, { urls: [proxy.url(vhost.url)], maxInFlight: 100 })
  await publisher.connect()
  const ids = range(1, 3_000)
  let settled = 0
  const outcomes = Promise.all(
    ids.map(async (messageId) => {
      const outcome = await publishAndReport(publisher, messageId, { deadlineMs: 20_000 })
      settled += 1
      return outcome
    }),
  )
  for (const share of [300, 1_000, 2_000]) {
    await waitFor(() => settled >= share, { what: `${share} messages`, intervalMs: 1 })
    proxy.cut()
  }
  expect(countResults(await outcomes)).toEqual({ resolved: 3_000 })
  const arrived = await takeMessageIds(vhost, 'messages')
  expect([...new Set(arrived)]).toEqual(ids)
})

test('what was in flight when the connection went is sent again first, in order', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const publisher = createTestPublisher(cleanUp, { urls: [proxy.url(vhost.url)], maxInFlight: 20 })
  await publisher.publish(createOutgoingMessage('0'))
  proxy.freeze('from-target')
  const outcomes = Promise.all(range(1, 60).map((messageId) => publishAndReport(publisher, messageId)))
  await waitFor(async () => (await vhost.countMessages('messages')) === 21, { what: '20 unconfirmed messages' })
  proxy.cut()
  proxy.thaw()
  expect(countResults(await outcomes)).toEqual({ resolved: 60 })
  expect(await takeMessageIds(vhost, 'messages')).toEqual([...range(0, 20), ...range(1, 60)])
})

test('a broker that hangs cannot hold a message beyond its deadline, nor take more than a window', async ({
  vhost,
  cleanUp,
}) => {
  await declareQueue(vhost, 'messages')
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const publisher = createTestPublisher(cleanUp, { urls: [proxy.url(vhost.url)], maxInFlight: 20 })
  await publisher.publish(createOutgoingMessage('0'))
  proxy.freeze('from-target')
  const outcomes = await Promise.all(
    range(1, 60).map((messageId) => publishAndReport(publisher, messageId, { deadlineMs: 500 })),
  )
  expect(outcomes.slice(0, 20).every(({ result }) => result === 'PUBLISH_TIMEOUT')).toBe(true)
  expect(countResults(outcomes)).toEqual({ PUBLISH_TIMEOUT: 20, QUEUE_UNAVAILABLE: 40 })
  expect(Math.min(...outcomes.map(({ afterMs }) => afterMs))).toBeGreaterThanOrEqual(499)
  expect(Math.max(...outcomes.map(({ afterMs }) => afterMs))).toBeLessThan(1_500)
  expect([publisher.inFlight, publisher.buffered]).toEqual([20, 0])
  expect(await publishAndReport(publisher, '61', { deadlineMs: 200 })).toMatchObject({ result: 'QUEUE_UNAVAILABLE' })
  expect(await vhost.countMessages('messages')).toBe(21)
  proxy.thaw()
  await publisher.publish(createOutgoingMessage('62'))
  expect(publisher.inFlight).toBe(0)
  expect(await takeMessageIds(vhost, 'messages')).toEqual([...range(0, 20), '62'])
})

test('a broker that is silent for two heartbeats is given up, and what it held is sent again', async ({
  vhost,
  cleanUp,
}) => {
  await declareQueue(vhost, 'messages')
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const publisher = createTestPublisher(cleanUp, { urls: [proxy.url(vhost.url)], heartbeatSeconds: 1 })
  await publisher.publish(createOutgoingMessage('0'))
  // It hears our heartbeats: else it would close the connection before us.
  proxy.freeze('from-target')
  const sent = publishAndReport(publisher, '1', { deadlineMs: 20_000 })
  await waitFor(() => publisher.state === 'connecting', { what: 'the loss' })
  // The broker may notice first, and reset the connection.
  expect(publisher.lastError?.message).toMatch(/Heartbeat timeout|ECONNRESET/)
  proxy.cut()
  proxy.thaw()
  expect(await sent).toMatchObject({ result: 'resolved' })
  expect(await takeMessageIds(vhost, 'messages')).toEqual(['0', '1', '1'])
})

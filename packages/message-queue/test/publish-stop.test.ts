import { createTcpProxy, test } from '@mono/test-support'
import { expect } from 'vitest'
import {
  countResults,
  createTestPublisher,
  declareQueue,
  publishAndReport,
  range,
} from './support/create-test-publisher.js'
import { createOutgoingMessage } from './support/pending-messages.js'

test('a drain sends what it holds, and only then disconnects', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url], maxInFlight: 50 })
  const outcomes = Promise.all(range(1, 500).map((messageId) => publishAndReport(publisher, messageId)))
  const drained = publisher.drain()
  expect(await publishAndReport(publisher, 'late')).toMatchObject({ error: { reason: 'closed' } })
  await drained
  expect([publisher.state, publisher.inFlight, publisher.buffered]).toEqual(['closed', 0, 0])
  expect(countResults(await outcomes)).toEqual({ resolved: 500 })
  expect(await vhost.countMessages('messages')).toBe(500)
})

test('a close settles everything at once, and what it calls unpublished is not in the queue', async ({
  vhost,
  cleanUp,
}) => {
  await declareQueue(vhost, 'messages')
  const publisher = createTestPublisher(cleanUp, { urls: [vhost.url], maxInFlight: 50 })
  await publisher.publish(createOutgoingMessage('0'))
  const outcomes = Promise.all(range(1, 500).map((messageId) => publishAndReport(publisher, messageId)))
  await publisher.close()
  const settled = await outcomes
  expect(countResults(settled)).toEqual({ PUBLISH_TIMEOUT: 50, QUEUE_UNAVAILABLE: 450 })
  expect(Math.max(...settled.map(({ afterMs }) => afterMs))).toBeLessThan(500)
  expect(await vhost.countMessages('messages')).toBeLessThanOrEqual(51)
})

test('a close does not wait for a broker that hangs', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const publisher = createTestPublisher(cleanUp, { urls: [proxy.url(vhost.url)], limits: { closeTimeoutMs: 300 } })
  await publisher.publish(createOutgoingMessage('1'))
  proxy.freeze()
  const sent = publishAndReport(publisher, '2')
  const startedAt = performance.now()
  await Promise.all([publisher.close(), publisher.drain(), publisher.close()])
  expect(performance.now() - startedAt).toBeLessThan(1_300)
  expect(await sent).toMatchObject({ result: 'PUBLISH_TIMEOUT' })
})

test('a close ends an attempt to connect, at whatever stage it is', async ({ vhost, cleanUp }) => {
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  proxy.freeze()
  for (const prepare of [() => Promise.resolve(), () => proxy.down()]) {
    await prepare()
    const publisher = createTestPublisher(cleanUp, { urls: [proxy.url(vhost.url)] })
    const connecting = publisher.connect().catch((error: unknown) => error)
    const sent = publishAndReport(publisher, '1')
    await publisher.close()
    expect(await sent).toMatchObject({ error: { code: 'QUEUE_UNAVAILABLE', reason: 'closed' } })
    expect(await connecting).toMatchObject({ code: 'QUEUE_UNAVAILABLE', reason: 'closed' })
    expect(publisher.state).toBe('closed')
  }
})

test('a close right after the handshake leaves nothing behind', async ({ vhost, cleanUp }) => {
  await declareQueue(vhost, 'messages')
  for (let turns = 0; turns < 5; turns++) {
    const publisher = createTestPublisher(cleanUp, { urls: [vhost.url] })
    const sent = publishAndReport(publisher, '1')
    await publisher.connect()
    for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
    await publisher.close()
    expect((await sent).result).not.toBe('resolved')
  }
})

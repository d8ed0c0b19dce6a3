import { migrate, type PushMessage, printNumbers, test, type WorkerProcess, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { registerDevices } from './description.mjs'
import { pushWorker } from './worker-under-test.js'

const count = 2_000
const prefetch = 100

/** Each replica signs with a subject of its own, so that a push tells who has sent it. */
const subjectOf = (name: string) => `mailto:${name}@example.com`

function senderOf({ headers }: PushMessage): string {
  const token = /t=[^.]+\.([^.]+)\./.exec(String(headers.authorization))?.[1] ?? ''
  return JSON.parse(Buffer.from(token, 'base64url').toString()).sub
}

const tagOf = ({ payload }: PushMessage): string => JSON.parse(payload).tag

test('a replica that is killed amid its pushes: the other serves all, and twice only what was not recorded', {
  timeout: 150_000,
}, async ({ vhost, database, workers, cleanUp }) => {
  const farEnd = (await pushWorker.openFarEnd?.({ cleanUp })) ?? expect.fail('Expected a push service')
  const { service } = farEnd
  await migrate(pushWorker.name, database.url)
  await pushWorker.seed?.({ database, farEnd })
  // Pushes are taken at once and answered late: at any time some are handed over and not recorded.
  service.answer('all', { status: 201, delayMs: 100 })
  const start = (name: string): WorkerProcess =>
    workers.spawn(pushWorker.name, {
      RABBITMQ_URL: vhost.url,
      DATABASE_URL: database.url,
      ...farEnd.env,
      VAPID_SUBJECT: subjectOf(name),
      PREFETCH: String(prefetch),
    })
  const [victim, survivor] = [start('victim'), start('survivor')]
  await Promise.all([victim.ready(), survivor.ready()])
  const sent = Promise.all(
    Array.from({ length: count }, (_, index) => index).map(pushWorker.openSender({ vhost, cleanUp })),
  )

  const sentBy = (name: string) => service.received.filter((push) => senderOf(push) === subjectOf(name))
  await waitFor(() => service.received.length >= count / 4 && sentBy('victim').length > 0, {
    what: 'a quarter of the pushes',
    timeoutMs: 60_000,
    intervalMs: 5,
  })
  victim.kill('SIGKILL')
  await victim.exited
  const killedAt = Date.now()
  const takenBefore = service.received.length
  await sent
  await waitFor(
    async () => (await database.query("SELECT FROM push.deliveries WHERE state = 'sent'")).length === count,
    { what: 'all to be served', timeoutMs: 120_000 },
  )
  const doneMs = Date.now() - killedAt
  // What the victim had done and not acknowledged comes once more, after all is done.
  await waitFor(async () => (await vhost.countMessages('push.notifications')) === 0, { what: 'an empty queue' })
  await survivor.terminate()

  // Only the claim after a lease that was over counts up, and notes that the row was still `sending`.
  const claimedAnew = new Set(
    (
      await database.query<{ message_id: string }>(
        "SELECT message_id FROM push.deliveries WHERE attempts = 2 AND previous_state = 'sending'",
      )
    ).map(({ message_id }) => message_id),
  )
  const pushesByTag = new Map<string, PushMessage[]>()
  for (const push of service.received) pushesByTag.set(tagOf(push), [...(pushesByTag.get(tagOf(push)) ?? []), push])
  const twice = [...pushesByTag].filter(([, pushes]) => pushes.length > 1)
  const handedOverByVictim = new Set(sentBy('victim').map(tagOf))
  const handedOverAndNotRecorded = [...claimedAnew].filter((tag) => handedOverByVictim.has(tag))
  printNumbers('push-worker killed amid pushes', {
    pids: [victim.pid, survivor.pid],
    messages: count,
    takenBefore,
    byVictim: handedOverByVictim.size,
    servedTwice: twice.length,
    claimedByVictimAndNotRecorded: claimedAnew.size,
    ofTheseHandedOver: handedOverAndNotRecorded.length,
    doneMs,
  })

  expect(pushesByTag.size).toBe(count)
  // Otherwise the kill came when nothing was under way, and the rest shows nothing.
  expect(twice.length).toBeGreaterThan(0)
  expect(twice.map(([tag]) => tag).toSorted()).toEqual(handedOverAndNotRecorded.toSorted())
  for (const [tag, pushes] of twice) {
    expect([tag, ...pushes.map(senderOf)]).toEqual([tag, subjectOf('victim'), subjectOf('survivor')])
    expect(pushes[0]?.at).toBeLessThanOrEqual(killedAt)
  }
  // No more than the victim had in flight.
  expect(claimedAnew.size).toBeLessThanOrEqual(prefetch)
  expect(await database.query('SELECT FROM push.deliveries WHERE attempts > 1')).toHaveLength(claimedAnew.size)
  expect(await vhost.countMessages('push.notifications')).toBe(0)
  expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
})

test('a replica that is killed amid the devices of one notification, after it gave way: the other serves the rest', async ({
  vhost,
  database,
  workers,
  cleanUp,
}) => {
  const farEnd = (await pushWorker.openFarEnd?.({ cleanUp })) ?? expect.fail('Expected a push service')
  const { service } = farEnd
  await migrate(pushWorker.name, database.url)
  // Those that are being served when the share of a hundred is used up are served too: two hundred are at a time.
  const devices = Array.from({ length: 500 }, () => service.subscribe())
  const userIds = devices.map(() => 'many-devices')
  await registerDevices((sql, parameters) => database.query(sql, parameters), userIds, devices)
  await vhost.shortenRetries('push.notifications', { waitMs: 1_000 })
  service.answer('all', { status: 201, delayMs: 100 })
  const names = ['one', 'other']
  const replicas = names.map((name) =>
    workers.spawn(pushWorker.name, {
      RABBITMQ_URL: vhost.url,
      DATABASE_URL: database.url,
      ...farEnd.env,
      VAPID_SUBJECT: subjectOf(name),
      PREFETCH: '1',
    }),
  )
  await Promise.all(replicas.map((replica) => replica.ready()))
  const { messages: gaveWay } = await vhost.listen('push.notifications.retry', '1s')
  const { messages: deferred } = await vhost.listen('push.notifications.retry', '10s', '60s')
  const body = { tenantId: 42, recipientIds: ['many-devices'], title: 'Numbered', body: 'to many devices' }
  await vhost.publish('notifications', 'push.all', body, { messageId: 'to-many-devices' })

  await waitFor(() => gaveWay.length > 0, { what: 'the notification to give way', timeoutMs: 30_000, intervalMs: 5 })
  const resumeIndex = Number(/ web-[\w-]{4}:(\d+)$/.exec(String(gaveWay[0]?.headers['x-resume-at']))?.[1])
  await waitFor(() => service.received.length >= resumeIndex + 20, {
    what: 'its second share',
    timeoutMs: 30_000,
    intervalMs: 5,
  })
  const nameOf = (push: PushMessage) => names.findIndex((name) => senderOf(push) === subjectOf(name))
  const victimIndex = service.received.slice(-1).map(nameOf)[0] ?? -1
  const [victim, survivor] = [replicas[victimIndex], replicas[1 - victimIndex]]
  victim?.kill('SIGKILL')
  await victim?.exited
  const killedAt = Date.now()
  const receivedAtKill = service.received.length
  await waitFor(() => deferred.length > 0, { what: 'the rest to wait for the leases of the dead', timeoutMs: 30_000 })
  const receivedWithLeases = service.received.length
  // They end here, in place of after 30 s.
  await database.query("UPDATE push.deliveries SET lease_until = now() WHERE state = 'sending' AND lease_until < $1", [
    new Date(killedAt + 30_000),
  ])
  const sent = () => database.query("SELECT FROM push.deliveries WHERE state = 'sent'")
  await waitFor(async () => (await sent()).length === devices.length, { what: 'all to be served', timeoutMs: 30_000 })
  const settled = async () => (await survivor?.metric('mono_deliveries_total', { outcome: 'acked' })) === 1
  await waitFor(settled, { what: 'the notification to be acknowledged', timeoutMs: 20_000 })
  await survivor?.terminate()

  const claimedAnew = await database.query<{ address: string }>(
    `SELECT address FROM push.deliveries JOIN push.devices ON id = device_id WHERE previous_state = 'sending'`,
  )
  const pushesOf = (address: string) => service.received.filter(({ device }) => device.endpoint === address)
  const handedOver = claimedAnew.filter(({ address }) => pushesOf(address).some((push) => nameOf(push) === victimIndex))
  const twice = devices.map(({ endpoint }) => endpoint).filter((endpoint) => pushesOf(endpoint).length > 1)
  printNumbers('push-worker killed amid the devices of a notification', {
    resumeIndex,
    receivedAtKill,
    receivedWithLeases,
    claimedByVictimAndNotRecorded: claimedAnew.length,
    ofTheseHandedOver: handedOver.length,
    servedTwice: twice.length,
    deferred: deferred.length,
  })

  expect(resumeIndex).toBeGreaterThanOrEqual(100)
  expect(receivedAtKill).toBeLessThan(devices.length)
  expect(receivedWithLeases).toBe(devices.length - (claimedAnew.length - handedOver.length))
  expect(twice.length).toBeGreaterThan(0)
  expect(twice.toSorted()).toEqual(handedOver.map(({ address }) => address).toSorted())
  expect(service.received).toHaveLength(devices.length + twice.length)
  for (const endpoint of twice) expect(pushesOf(endpoint).map(nameOf)).toEqual([victimIndex, 1 - victimIndex])
  expect(new Set(service.received.map(tagOf)).size).toBe(1)
  for (const { headers } of [...gaveWay, ...deferred]) expect(headers['x-attempts']).toBe(0)
  for (const queue of ['', '.dlq', '.retry.1s', '.retry.10s', '.retry.60s']) {
    expect([queue, await vhost.countMessages(`push.notifications${queue}`)]).toEqual([queue, 0])
  }
})

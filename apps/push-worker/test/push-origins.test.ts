import { type PushService, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { test } from './support/push-setup.js'

const print = (line: string) => process.stdout.write(`    ${line}\n`)

test('one message to 300 devices over three push services, one of them down and one asking to wait', async ({
  push,
  database,
  vhost,
}) => {
  const services = [await push.createService(), await push.createService(), await push.createService()] as const
  const [down, busy, works] = services
  const idsByService = new Map<PushService, string[]>(services.map((service) => [service, []]))
  const goneIds: string[] = []
  for (let index = 0; index < 300; index += 1) {
    const service = services[index % 3] ?? works
    const device = service.subscribe()
    const id = await push.register(device, { userId: `user-${index}` })
    idsByService.get(service)?.push(id)
    if (service === works && index % 60 === 2) {
      service.answer(device, 410)
      goneIds.push(id)
    }
  }
  const other = await push.register(works.subscribe(), { userId: 'other' })
  await down.stop()
  busy.answer('all', { status: 429, retryAfter: 3 })
  const worker = await push.startWorker()

  const begun = Date.now()
  const elapsed = () => `${((Date.now() - begun) / 1000).toFixed(2)} s`
  const countSettled = async (service: PushService) => {
    const sql =
      "SELECT FROM push.deliveries WHERE device_id = ANY($1) AND message_id = 'm1' AND state IN ('sent', 'failed')"
    return (await database.query(sql, [idsByService.get(service)])).length
  }
  const untilSettled = (service: PushService) =>
    waitFor(async () => (await countSettled(service)) === 100, { what: '100 devices', timeoutMs: 45_000 })

  await push.send(
    'm1',
    Array.from({ length: 300 }, (_, index) => `user-${index}`),
  )
  await untilSettled(works)
  print(`the one that works: 95 sent, 5 gone after ${elapsed()}`)
  expect(Date.now() - begun).toBeLessThan(5000)
  expect([await countSettled(busy), await countSettled(down)]).toEqual([0, 0])

  expect(await worker.metric('mono_push_origins_closed')).toBe(2)

  // Other messages meanwhile.
  const latencies: number[] = []
  for (let index = 0; index < 20; index += 1) {
    const sentAt = Date.now()
    await push.send(`other-${index}`, ['other', 'user-0', 'user-1'])
    await push.untilDelivery(`other-${index}`, other, { state: 'sent' })
    latencies.push(Date.now() - sentAt)
  }
  print(`20 other messages meanwhile: ${Math.min(...latencies)} to ${Math.max(...latencies)} ms each`)
  expect(Math.max(...latencies)).toBeLessThan(2000)

  busy.answer('all', 201)
  await untilSettled(busy)
  print(`the one that asked to wait: after ${elapsed()}`)
  await down.start()
  await untilSettled(down)
  print(`the one that was down: after ${elapsed()}`)
  await waitFor(
    async () =>
      (await database.query("SELECT FROM push.deliveries WHERE state <> 'sent' AND state <> 'failed'")).length === 0,
    { what: 'the other messages to be served too', timeoutMs: 45_000 },
  )
  expect(await worker.metric('mono_push_origins_closed')).toBe(0)
  await worker.terminate()

  // Served ones once.
  for (const service of services) {
    const tags = service.received.map(({ path, payload }) => `${path} ${JSON.parse(payload).tag}`)
    expect(new Set(tags).size).toBe(tags.length)
  }
  const countOfM1 = (service: PushService) =>
    service.received.filter(({ payload }) => JSON.parse(payload).tag === 'm1').length
  expect(services.map(countOfM1)).toEqual([100, 100, 95])
  // Gone ones disabled, and nobody else.
  const disabled = await database.query<{ id: string }>('SELECT id FROM push.devices WHERE disabled_at IS NOT NULL')
  expect(disabled.map(({ id }) => id).sort()).toEqual(goneIds.sort())
  expect(await vhost.countMessages('push.notifications.dlq')).toBe(0)
  // While it had to be left alone, the busy one was asked by hardly anybody.
  const refused = busy.attempts.filter(({ answer }) => answer === 429).length
  print(`requests that were answered with 429: ${refused}`)
  expect(refused).toBeLessThanOrEqual(60)
})

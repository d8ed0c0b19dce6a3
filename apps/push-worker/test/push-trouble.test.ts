import { type PushAnswer, type PushService, type WorkerProcess, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { test } from './support/push-setup.js'

const print = (line: string) => process.stdout.write(`    ${line}\n`)

async function residentMegabytes({ httpUrl }: WorkerProcess): Promise<number> {
  const metrics = await (await fetch(`${httpUrl}/metrics`)).text()
  return Number(/^process_resident_memory_bytes(?:{[^}]*})? (\d+)/m.exec(metrics)?.[1]) / 2 ** 20
}

describe.each(['h2', 'http/1.1'] as const)('a push service that, over %s,', (protocol) => {
  const taken = { state: 'sent', last_code: null }
  const cases: [string, PushAnswer, { state: string; last_code: string | null }][] = [
    ['resets the connection', 'reset', { state: 'retry', last_code: 'CONNECTION_LOST' }],
    ['hangs', 'hang', { state: 'retry', last_code: 'TIMEOUT' }],
    ['says GOAWAY and answers', 'goaway', taken],
    ['says GOAWAY and does not answer', 'goaway-drop', { state: 'retry', last_code: 'CONNECTION_LOST' }],
    ['trickles its answer', 'trickle', taken],
    ['answers 10 MB', 'huge', taken],
    ['resets after the head of the answer', 'reset-after-head', taken],
  ]

  test('misbehaves: each delivery settles within the deadline', async ({ push }) => {
    const troubles: { name: string; service: PushService; id: string; expected: object }[] = []
    for (const [name, answer, expected] of cases) {
      const service = await push.createService({ protocols: [protocol] })
      service.answer('all', answer)
      troubles.push({ name, service, expected, id: await push.register(service.subscribe(), { userId: name }) })
    }
    const worker = await push.startWorker()
    const begun = Date.now()
    await Promise.all(
      troubles.map(async ({ name, id, expected }) => {
        await push.send(name, [name])
        await push.untilDelivery(name, id, expected)
        print(`${protocol}, ${name}: ${JSON.stringify(expected)} after ${((Date.now() - begun) / 1000).toFixed(1)} s`)
      }),
    )
    expect(Date.now() - begun).toBeLessThan(13_000)
    await worker.terminate()
  })
})

test('a GOAWAY with streams in flight: those that are taken are sent once, the others again', async ({ push }) => {
  const service = await push.createService()
  const ids = []
  for (let index = 0; index < 40; index += 1) {
    const device = service.subscribe()
    service.answer(device, index === 20 ? ['goaway'] : [{ status: 201, delayMs: 50 }])
    ids.push(await push.register(device, { userId: 'ada' }))
  }
  const worker = await push.startWorker()
  await push.send('m1', ['ada'])
  for (const id of ids) await push.untilDelivery('m1', id, { state: 'sent' })
  await worker.terminate()
  expect(service.received).toHaveLength(40)
})

test.for(['h2', 'http/1.1'] as const)(
  'answers of 10 MB over %s do not fill the memory',
  async (protocol, { push, database }) => {
    const service = await push.createService({ protocols: [protocol] })
    service.answer('all', 'huge')
    for (let index = 0; index < 30; index += 1) await push.register(service.subscribe(), { userId: 'ada' })
    // A server of Node's has much in flight that it cannot send: a few at a time are enough for it.
    const worker = await push.startWorker({ PUSH_CONCURRENCY: '5' })
    const serve = async (messageId: string) => {
      await push.send(messageId, ['ada'])
      const countSql = "SELECT FROM push.deliveries WHERE message_id = $1 AND state = 'sent'"
      await waitFor(async () => (await database.query(countSql, [messageId])).length === 30, {
        what: `${messageId} on 30 devices`,
        timeoutMs: 30_000,
      })
    }
    await serve('m0')
    const before = await residentMegabytes(worker)
    for (const messageId of ['m1', 'm2', 'm3']) await serve(messageId)
    const after = await residentMegabytes(worker)
    print(`${protocol}: resident after 30 such answers ${before.toFixed(0)} MB, after 120 ${after.toFixed(0)} MB`)
    expect(after - before).toBeLessThan(50)
    await worker.terminate()
  },
)

test('a push service that hangs does not hold up the others', async ({ push }) => {
  const hanging = await push.createService()
  const works = await push.createService()
  hanging.answer('all', 'hang')
  for (let index = 0; index < 150; index += 1) await push.register(hanging.subscribe(), { userId: `user-${index}` })
  const served = await push.register(works.subscribe(), { userId: 'other' })
  const worker = await push.startWorker()
  await push.send(
    'm1',
    Array.from({ length: 150 }, (_, index) => `user-${index}`),
  )
  await waitFor(() => hanging.attempts.length >= 50, { what: 'the requests' })
  const begun = Date.now()
  for (let index = 0; index < 10; index += 1) {
    await push.send(`other-${index}`, ['other', 'user-0'])
    await push.untilDelivery(`other-${index}`, served, { state: 'sent' })
  }
  print(`10 messages besides 150 requests that hang: ${Date.now() - begun} ms`)
  expect(Date.now() - begun).toBeLessThan(5000)
  await worker.terminate()
  expect(hanging.attempts.length).toBeLessThanOrEqual(55)
})

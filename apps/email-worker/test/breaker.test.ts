import { examples } from '@mono/contracts'
import { migrate, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { emailEnvironment } from './email-environment.js'

const queue = 'email.notifications'
const count = 60
const prefetch = 10

test('while the mail server is away the backlog stays in its queue, and is sent within ten seconds of its return', async ({
  vhost,
  database,
  smtpSink,
  workers,
}) => {
  await migrate('email-worker', database.url)
  const env = { ...emailEnvironment({ vhost, database, smtpSink }), PREFETCH: String(prefetch) }
  const worker = workers.spawn('email-worker', env)
  await worker.ready()
  await smtpSink.stop()
  const body = { ...examples['email.message'], to: ['ada@example.com'] }
  for (let n = 0; n < count; n += 1) await vhost.publish('notifications', 'email.send', body, { messageId: `m${n}` })

  const countDeferred = () => vhost.countMessages(`${queue}.retry.60s`)
  await waitFor(async () => (await fetch(`${worker.httpUrl}/readyz`)).status === 503, { what: 'it not to be ready' })
  expect(await (await fetch(`${worker.httpUrl}/readyz`)).json()).toMatchObject({
    checks: { consumer: { state: 'paused' }, breakers: { smtp: { state: 'open' }, database: { state: 'closed' } } },
  })
  expect(await worker.metric('mono_breaker_open', { dependency: 'smtp' })).toBe(1)
  await waitFor(async () => (await countDeferred()) + (await vhost.countMessages(queue)) === count, {
    what: 'nothing in flight',
  })
  const deferred = await countDeferred()
  expect(deferred).toBeLessThanOrEqual(5 + 2 * prefetch)

  const since = performance.now()
  await smtpSink.start()
  await waitFor(() => smtpSink.received.length >= count - deferred, { what: 'the backlog', timeoutMs: 20_000 })
  expect(performance.now() - since).toBeLessThan(10_000)
  await worker.ready()
  const changes = worker.logs.filter(({ dependency }) => dependency === 'smtp').map(({ msg }) => msg)
  expect(changes).toEqual([
    'A dependency cannot be used; nothing is taken until it can',
    'A dependency answers again; deliveries are taken',
  ])
  expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  expect(await vhost.countMessages(`${queue}.dlq`)).toBe(0)
})

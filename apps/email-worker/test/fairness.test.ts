import { migrate, printNumbers, type SmtpSink, type TestFixtures, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { emailEnvironment } from './email-environment.js'

const hour = 3_600_000

type Services = Pick<TestFixtures, 'vhost' | 'database' | 'smtpSink' | 'workers'>

interface SetUp {
  connections: number
  /** How long the server takes for a mail. */
  mailMs: number
  prefetch?: number
}

async function start({ vhost, database, smtpSink, workers }: Services, { connections, mailMs, prefetch }: SetUp) {
  await migrate('email-worker', database.url)
  smtpSink.answer('all', `delay ${mailMs}`)
  const env = emailEnvironment({ vhost, database, smtpSink })
  const SMTP_URL = `${env.SMTP_URL}?maxConnections=${connections}`
  const worker = workers.spawn('email-worker', {
    ...env,
    SMTP_URL,
    ...(prefetch !== undefined && { PREFETCH: String(prefetch) }),
  })
  await worker.ready()
  return worker
}

const addressesOf = (name: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${name}-${index}@example.com`)

function publish({ vhost }: Services, messageId: string, mail: { to: string[]; tenantId: number }, headers = {}) {
  const body = { subject: messageId, text: 'Good morning', ...mail }
  return vhost.publish('notifications', 'email.send', body, { messageId, headers })
}

const untilReceived = (smtpSink: SmtpSink, count: number) =>
  waitFor(() => smtpSink.received.length >= count, { what: `${count} mails`, timeoutMs: 60_000 })

const onceEach = (addresses: readonly string[]) => new Map(addresses.map((address) => [address, 1]))

describe('mailings of one tenant', () => {
  test('do not hold up the single mails of another, and are complete at the end', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    const services = { vhost, database, smtpSink, workers }
    const worker = await start(services, { connections: 2, mailMs: 50, prefetch: 60 })
    const mailings = Array.from({ length: 40 }, (_, index) => addressesOf(`mailing-${index}`, 12))
    await Promise.all(mailings.map((to, index) => publish(services, `mailing-${index}`, { to, tenantId: 1 })))
    await untilReceived(smtpSink, 20)
    const overtaken: number[] = []
    for (let index = 0; index < 5; index += 1) {
      const before = smtpSink.received.length
      const [address = ''] = addressesOf(`single-${index}`, 1)
      await publish(services, `single-${index}`, { to: [address], tenantId: 2 })
      await waitFor(() => smtpSink.receivedBy(address).length > 0, { what: 'the single mail', timeoutMs: 60_000 })
      overtaken.push(smtpSink.received.findIndex(({ to }) => to.includes(address)) - before)
    }
    printNumbers('single mails between mailings', { overtaken })
    // Those that are claimed before it, and what is sent while it is on its way here. In line with all it would be 40.
    expect(Math.max(...overtaken)).toBeLessThan(30)
    await untilReceived(smtpSink, 40 * 12 + 5)
    expect(smtpSink.counts()).toEqual(
      onceEach([...mailings.flat(), ...overtaken.map((_, i) => `single-${i}-0@example.com`)]),
    )
    expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
    await worker.terminate()
  })
})

describe('a mailing that takes all that the worker can have in hand', () => {
  test('gives way to a mail behind it after a hundred recipients', async ({ vhost, database, smtpSink, workers }) => {
    const services = { vhost, database, smtpSink, workers }
    const worker = await start(services, { connections: 1, mailMs: 5, prefetch: 1 })
    const to = addressesOf('mailing', 150)
    await publish(services, 'mailing', { to, tenantId: 1 })
    await publish(services, 'single', { to: ['ada@example.com'], tenantId: 1 })
    await untilReceived(smtpSink, 151)
    const place = smtpSink.received.findIndex(({ subject }) => subject === 'single')
    expect(place).toBeGreaterThanOrEqual(100)
    expect(place).toBeLessThan(110)
    expect(smtpSink.counts()).toEqual(onceEach([...to, 'ada@example.com']))
    const gaveWay = { queue: 'email.notifications', outcome: 'gave-way' }
    await waitFor(async () => (await worker.metric('mono_in_flight')) === 0, { what: 'the end of the mailing' })
    expect(await worker.metric('mono_deliveries_total', gaveWay)).toBe(1)
    expect(await worker.metric('mono_retries_total')).toBe(0)
    await worker.terminate()
  })

  test('does not expire while it makes progress', async ({ vhost, database, smtpSink, workers }) => {
    const services = { vhost, database, smtpSink, workers }
    const worker = await start(services, { connections: 1, mailMs: 50, prefetch: 1 })
    const to = addressesOf('mailing', 250)
    const publishedAt = new Date(Date.now() - hour + 10_000)
    await publish(services, 'mailing', { to, tenantId: 1 }, { 'x-published-at': publishedAt.toISOString() })
    await untilReceived(smtpSink, 250)
    expect(Date.now() - publishedAt.getTime()).toBeGreaterThan(hour)
    expect(smtpSink.counts()).toEqual(onceEach(to))
    expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
    await worker.terminate()
  })
})

import { examples } from '@mono/contracts'
import { migrate, type TestDatabase, type TestVhost, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'

test.beforeEach(async ({ database }) => {
  await migrate('audit-worker', database.url)
})

const environment = (vhost: TestVhost, database: TestDatabase) => ({
  RABBITMQ_URL: vhost.url,
  DATABASE_URL: database.url,
  AUDIT_BATCH_WAIT_MS: '50',
})

const event = (fields: object = {}) => ({ ...examples['audit.event'], timestamp: new Date(), ...fields })

const untilCounted = (database: TestDatabase, count: number) =>
  waitFor(async () => (await database.query('SELECT FROM audit.events')).length === count, {
    what: `${count} recorded events`,
  })

describe('audit-worker', () => {
  test('records what is published, once, and stops on SIGTERM', async ({ vhost, database, workers }) => {
    const worker = workers.spawn('audit-worker', environment(vhost, database))
    await worker.ready()
    const sent = event()
    for (const messageId of ['a', 'b', 'b', 'c']) await vhost.publish('audit', 'audit.track', sent, { messageId })
    await vhost.publish('audit', 'audit.compliance', event({ eventType: 'invoice.deleted' }), { messageId: 'd' })
    await untilCounted(database, 4)
    expect(await database.query("SELECT event_type, routing_key FROM audit.events WHERE event_id = 'd'")).toEqual([
      { event_type: 'invoice.deleted', routing_key: 'audit.compliance' },
    ])
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
    expect(await vhost.countMessages('audit.events')).toBe(0)
    expect(await vhost.countMessages('audit.events.dlq')).toBe(0)
  })

  test('dead-letters what cannot be recorded, with the reason, and records the rest', async ({
    vhost,
    database,
    workers,
  }) => {
    const worker = workers.spawn('audit-worker', environment(vhost, database))
    await worker.ready()
    await vhost.publish('audit', 'audit.track', event(), { messageId: 'good' })
    await vhost.publish('audit', 'audit.track', '{not json', { messageId: 'not json' })
    // The contracts let the year 0 pass; PostgreSQL does not know it.
    await vhost.publish('audit', 'audit.track', event({ timestamp: '0000-06-01T00:00:00Z' }), { messageId: 'refused' })
    const dead = await vhost.drainQueue('audit.events.dlq', 2)
    const reasons = dead.map(({ properties, headers }) => [properties.messageId, headers['x-failure-code']])
    expect(reasons.sort()).toEqual([
      ['not json', 'INVALID_JSON'],
      ['refused', 'INVALID_MESSAGE'],
    ])
    await untilCounted(database, 1)
    await worker.terminate()
  })

  test('replicas that start together with their migrations share the work', async ({ vhost, database, workers }) => {
    await Promise.all([1, 2, 3].map(() => migrate('audit-worker', database.url)))
    const replicas = [1, 2, 3].map(() => workers.spawn('audit-worker', environment(vhost, database)))
    await Promise.all(replicas.map((replica) => replica.ready()))
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        vhost.publish('audit', 'audit.track', event(), { messageId: `${index}` }),
      ),
    )
    await untilCounted(database, 200)
    expect(await Promise.all(replicas.map((replica) => replica.terminate()))).toEqual(
      Array(3).fill({ code: 0, signal: null }),
    )
  })

  test('starts with a fault list instead of half an environment', async ({ workers }) => {
    const worker = workers.spawn('audit-worker', { AUDIT_BATCH_SIZE: '1000' })
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    for (const name of ['RABBITMQ_URL', 'DATABASE_URL', 'PREFETCH'])
      expect(worker.stderr).toContain(`${name}: expected`)
  })
})

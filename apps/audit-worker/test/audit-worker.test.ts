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
    await refuseEventType(database, 'refused')
    await vhost.publish('audit', 'audit.track', event(), { messageId: 'good' })
    await vhost.publish('audit', 'audit.track', '{not json', { messageId: 'not json' })
    await vhost.publish('audit', 'audit.track', event({ eventType: 'refused' }), { messageId: 'refused' })
    const dead = await vhost.drainQueue('audit.events.dlq', 2)
    const reasons = dead.map(({ properties, headers }) => [
      properties.messageId,
      headers['x-failure-code'],
      headers['x-failure-message'],
    ])
    expect(reasons.sort()).toEqual([
      ['not json', 'INVALID_JSON', expect.stringContaining('body')],
      ['refused', 'INVALID_MESSAGE', expect.stringContaining('PostgreSQL refused the event')],
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

/** What passes the contracts PostgreSQL takes; so it is made to refuse something, as it refuses data. */
async function refuseEventType(database: TestDatabase, eventType: string): Promise<void> {
  await database.query(`CREATE FUNCTION audit.refuse() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN RAISE EXCEPTION 'not this one' USING ERRCODE = '22023'; END $$`)
  await database.query(`CREATE TRIGGER refuse BEFORE INSERT ON audit.events FOR EACH ROW
    WHEN (NEW.event_type = '${eventType}') EXECUTE FUNCTION audit.refuse()`)
}

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

  test('dead-letters another event with the id of a recorded one, naming what differs, and takes a true resend', async ({
    vhost,
    database,
    workers,
  }) => {
    const worker = workers.spawn('audit-worker', environment(vhost, database))
    await worker.ready()
    const timestamp = new Date()
    for (const eventType of ['invoice.approved', 'invoice.deleted', 'invoice.paid', 'invoice.approved']) {
      const sent = event({ eventType, timestamp })
      await vhost.publish('audit', 'audit.compliance', sent, { messageId: 'request-1' })
    }
    const dead = await vhost.drainQueue('audit.events.dlq', 2)
    const reason = ['ID_CONFLICT', 'Another event was recorded with this id, with other eventType']
    expect(dead.map(({ headers }) => [headers['x-failure-code'], headers['x-failure-message']])).toEqual([
      reason,
      reason,
    ])
    await waitFor(async () => (await worker.metric('mono_deliveries_total', { outcome: 'acked' })) === 2, {
      what: 'the first and its resend to be acknowledged',
    })
    expect(await database.query('SELECT event_type FROM audit.events')).toEqual([{ event_type: 'invoice.approved' }])
    await worker.terminate()
  })

  test('records an event that comes again with another time once, and counts it', async ({
    vhost,
    database,
    workers,
  }) => {
    const worker = workers.spawn('audit-worker', environment(vhost, database))
    await worker.ready()
    const times = ['2025-04-01T09:30:00.250Z', '2025-04-01T09:30:00.251Z', '2025-05-01T00:00:00Z']
    for (const time of times) {
      await vhost.publish('audit', 'audit.track', event({ timestamp: time }), { messageId: 'request-1' })
    }
    await waitFor(async () => (await worker.metric('mono_deliveries_total', { outcome: 'acked' })) === 3, {
      what: 'all to be acknowledged',
    })
    expect(await worker.metric('mono_audit_sent_again_with_other_time_total')).toBe(2)
    expect(await database.query('SELECT occurred_at FROM audit.events')).toEqual([
      { occurred_at: new Date('2025-04-01T09:30:00.250Z') },
    ])
    await worker.terminate()
  })

  test('records numbers with the value and the digits that were sent', async ({ vhost, database, workers }) => {
    const worker = workers.spawn('audit-worker', environment(vhost, database))
    await worker.ready()
    const numbers = [
      ['9007199254740993', '9007199254740993'],
      ['12345678901234567.89', '12345678901234567.89'],
      ['1.50', '1.50'],
      ['123456789012345678901234567890', '123456789012345678901234567890'],
      ['1e-320', `0.${'0'.repeat(319)}1`],
      ['-0', '0'],
      ['1e5', '100000'],
      ['-1.5E+3', '-1500'],
    ] as const
    const text = (changes: string) =>
      JSON.stringify(event({ changes: 0 })).replace('"changes":0', `"changes":${changes}`)
    for (const [index, [sent]] of numbers.entries()) {
      await vhost.publish('audit', 'audit.track', text(`{"number":${sent}}`), { messageId: `event-${index}` })
    }
    await vhost.publish('audit', 'audit.track', text('{"number":1e400}'), { messageId: 'too large' })
    await vhost.publish('audit', 'audit.track', text('{"number":1e-16384}'), { messageId: 'too small' })
    const dead = await vhost.drainQueue('audit.events.dlq', 2)
    expect(dead.map(({ properties, headers }) => [properties.messageId, headers['x-failure-code']]).sort()).toEqual([
      ['too large', 'INVALID_MESSAGE'],
      ['too small', 'INVALID_MESSAGE'],
    ])
    await untilCounted(database, numbers.length)
    const stored = await database.query("SELECT changes->>'number' AS number FROM audit.events ORDER BY event_id")
    expect(stored.map(({ number }) => number)).toEqual(numbers.map(([, expected]) => expected))
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

import { examples } from '@mono/contracts'
import { type MessageHandler, RetryableError } from '@mono/message-queue'
import { createTcpProxy, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createFakeConsumer } from './support/fake-consumer.js'
import { migrate, publish, queue, run } from './support/run-test-worker.js'

/** A handler that the test lets go on, and the moment that it has a message. */
function createHeldHandler() {
  let enter = () => {}
  let release = () => {}
  const entered = new Promise<void>((resolve) => {
    enter = resolve
  })
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const handler: MessageHandler<typeof queue> = async () => {
    enter()
    await released
  }
  return { handler, entered, release }
}

describe('a worker on its broker and database', () => {
  test('becomes ready, works, counts, and stops with 0', async ({ vhost, database }) => {
    await migrate(database)
    const handled: unknown[] = []
    const worker = run(
      { rabbitmqUrl: vhost.url, databaseUrl: database.url },
      {
        handler: async ({ payload, attempt }) => {
          handled.push(payload)
          if (attempt === 1 && handled.length === 2) throw new RetryableError('once', { code: 'PROVIDER_UNAVAILABLE' })
        },
      },
    )
    await worker.ready()
    await publish(vhost)
    await publish(vhost)
    const metrics = await waitFor(
      async () => {
        const text = await (await worker.get('/metrics')).text()
        return /mono_retries_total\{.*code="PROVIDER_UNAVAILABLE".*\} 1/.test(text) && text
      },
      { what: 'the retry to be counted' },
    )
    expect(metrics).toMatch(/mono_deliveries_total\{queue="audit.events",outcome="acked".*\} 1/)
    expect(metrics).toMatch(/mono_ready\{worker="audit-worker"\} 1/)
    expect(handled[0]).toEqual(examples['audit.event'])
    await worker.stop()
    expect(worker.host.exitCode).toBe(0)
    expect(worker.host.listenerCount).toBe(0)
    expect(worker.logs.records.filter(({ level }) => ['error', 'fatal'].includes(level))).toEqual([])
  })

  test('runs and is ready, and says so, when nobody asks', async ({ vhost, database }) => {
    await migrate(database)
    const worker = run({ rabbitmqUrl: vhost.url, databaseUrl: database.url })
    await waitFor(() => worker.logs.find('Worker is ready'), { what: 'the log line' })
    expect(worker.logs.find('Worker is ready')).toMatchObject({ state: 'running' })
    expect(worker.logs.records.filter(({ state }) => state === 'running')).toMatchObject([
      { msg: 'Worker state changed', previousState: 'waiting' },
      { msg: 'Worker is ready' },
    ])
    await worker.stop()
    expect(worker.logs.find('Worker is not ready')).toMatchObject({ level: 'info', state: 'draining' })
  })

  test('finishes what is in flight before it stops', async ({ vhost, database }) => {
    await migrate(database)
    const { handler, entered, release } = createHeldHandler()
    const worker = run({ rabbitmqUrl: vhost.url, databaseUrl: database.url }, { handler })
    await worker.ready()
    await publish(vhost)
    await entered
    worker.host.signals.emit('SIGTERM')
    await worker.ready(503)
    expect((await worker.get('/livez')).status).toBe(200)
    expect(worker.host.exitCode).toBeUndefined()
    release()
    await worker.ended
    expect(worker.host.exitCode).toBe(0)
    expect(await vhost.countMessages(queue)).toBe(0)
  })

  test('gives back what is not finished within the grace period, and stops with 0', async ({ vhost, database }) => {
    await migrate(database)
    const { handler, entered, release } = createHeldHandler()
    const env = { SHUTDOWN_GRACE_MS: '100' }
    const worker = run({ rabbitmqUrl: vhost.url, databaseUrl: database.url }, { handler, env })
    await worker.ready()
    await publish(vhost)
    await entered
    await worker.stop()
    expect(worker.host.exitCode).toBe(0)
    expect(worker.logs.find('The grace period is over; giving back what is not finished')).toMatchObject({
      inFlight: 1,
    })
    const [message] = await vhost.drainQueue(queue, 1)
    expect(message?.redelivered).toBe(true)
    release()
  })

  test('waits for the database, then for its migration, before it takes messages', async ({
    vhost,
    database,
    cleanUp,
  }) => {
    const proxy = await createTcpProxy({ target: database.url })
    await proxy.down()
    cleanUp(() => proxy.close())
    let starts = 0
    const worker = run(
      { rabbitmqUrl: vhost.url, databaseUrl: proxy.url(database.url) },
      {
        start: async ({ messageQueue, pool }) => {
          starts += 1
          await pool.query('insert into audit.events values (1)')
          return { consumer: await messageQueue.consumeMessages(queue, async () => {}) }
        },
      },
    )
    await waitFor(() => worker.logs.find('Database cannot be reached'), { what: 'the database to be missed' })
    expect((await worker.get('/livez')).status).toBe(200)
    await proxy.up()
    await waitFor(() => worker.logs.find('Database is not migrated'), { what: 'the migration to be missed' })
    expect(starts).toBe(0)
    await migrate(database)
    await worker.ready()
    expect(starts).toBe(1)
    await worker.stop()
    expect(worker.host.exitCode).toBe(0)
  })

  test('is not ready while the database is away, and ready again when it is back', async ({
    vhost,
    database,
    cleanUp,
  }) => {
    await migrate(database)
    const proxy = await createTcpProxy({ target: database.url })
    cleanUp(() => proxy.close())
    const worker = run({ rabbitmqUrl: vhost.url, databaseUrl: proxy.url(database.url) })
    await worker.ready()
    await proxy.down()
    await worker.ready(503)
    expect(await (await worker.get('/readyz')).json()).toMatchObject({ checks: { database: { state: 'down' } } })
    await proxy.up()
    await worker.ready()
    await worker.stop()
    expect(worker.host.exitCode).toBe(0)
  })

  test('waits for the broker, says so once, and can be stopped meanwhile', async ({ vhost, database }) => {
    await migrate(database)
    const proxy = await createTcpProxy({ target: vhost.url })
    await proxy.down()
    const worker = run({ rabbitmqUrl: proxy.url(vhost.url), databaseUrl: database.url })
    await waitFor(
      async () => {
        const { checks } = (await (await worker.get('/readyz')).json()) as { checks: { consumer: { state: string } } }
        return checks.consumer.state === 'connecting'
      },
      { what: 'the consumer to connect' },
    )
    expect((await worker.get('/livez')).status).toBe(200)
    const begin = performance.now()
    await worker.stop()
    expect(performance.now() - begin).toBeLessThan(5000)
    expect(worker.host.exitCode).toBe(0)
    expect(worker.logs.records.filter(({ level }) => level === 'warn').length).toBeLessThanOrEqual(1)
  })

  test('becomes ready when the broker comes', async ({ vhost, database, cleanUp }) => {
    await migrate(database)
    const proxy = await createTcpProxy({ target: vhost.url })
    await proxy.down()
    cleanUp(() => proxy.close())
    const worker = run({ rabbitmqUrl: proxy.url(vhost.url), databaseUrl: database.url })
    await worker.ready(503)
    await proxy.up()
    await worker.ready()
    await worker.stop()
    expect(worker.host.exitCode).toBe(0)
  })

  test('whose queue exists with other arguments says which, and ends with 1', async ({ vhost, database }) => {
    await migrate(database)
    await vhost.withChannel((channel) =>
      channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum', 'x-max-length': 7 } }),
    )
    const worker = run({ rabbitmqUrl: vhost.url, databaseUrl: database.url })
    await worker.ended
    expect(worker.host.exitCode).toBe(1)
    const fatal = worker.logs.records.find(({ level }) => level === 'fatal')
    expect(fatal?.err).toMatchObject({
      code: 'TOPOLOGY_MISMATCH',
      queue,
      argument: expect.any(String),
      found: expect.any(String),
      wanted: expect.any(String),
    })
  })

  test('whose consumer fails later ends with 1 and says why', async ({ vhost, database }) => {
    await migrate(database)
    const consumer = createFakeConsumer()
    const worker = run({ rabbitmqUrl: vhost.url, databaseUrl: database.url }, { start: () => ({ consumer }) })
    await worker.ready()
    consumer.fail(new Error('the queue has other arguments now'))
    await worker.ended
    expect(worker.host.exitCode).toBe(1)
    expect(worker.logs.find('The consumer failed')).toMatchObject({
      level: 'fatal',
      err: { message: 'the queue has other arguments now' },
    })
  })

  test('whose consumer ends unasked does not stay up doing nothing', async ({ vhost, database }) => {
    await migrate(database)
    const consumer = createFakeConsumer()
    const worker = run({ rabbitmqUrl: vhost.url, databaseUrl: database.url }, { start: () => ({ consumer }) })
    await worker.ready()
    consumer.finish()
    await worker.ended
    expect(worker.host.exitCode).toBe(1)
    expect(worker.logs.find('The consumer stopped')).toMatchObject({ level: 'fatal' })
  })

  test('whose start fails ends with 1 and releases what it had', async ({ vhost, database }) => {
    await migrate(database)
    const worker = run(
      { rabbitmqUrl: vhost.url, databaseUrl: database.url },
      {
        start: async ({ messageQueue }) => {
          await messageQueue.consumeMessages(queue, async () => {})
          throw new Error('no templates')
        },
      },
    )
    await worker.ended
    expect(worker.host.exitCode).toBe(1)
    expect(worker.logs.find('The worker could not start')).toMatchObject({ err: { message: 'no templates' } })
  })

  test('ends its own parts after the consumer has drained', async ({ vhost, database }) => {
    await migrate(database)
    const states: string[] = []
    const worker = run(
      { rabbitmqUrl: vhost.url, databaseUrl: database.url },
      {
        start: async ({ messageQueue, pool }) => {
          const consumer = await messageQueue.consumeMessages(queue, async () => {})
          return {
            consumer,
            stop: async () => {
              await pool.query('select 1')
              states.push(consumer.state)
            },
          }
        },
      },
    )
    await worker.ready()
    await worker.stop()
    expect(states).toEqual(['stopped'])
    expect(worker.host.exitCode).toBe(0)
  })
})

import { examples } from '@mono/contracts'
import { createMessageQueue, DeferError, type MessageHandler } from '@mono/message-queue'
import { createTcpProxy, type TestFixtures, type TestVhost, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { toDatabaseError } from '../src/to-database-error.js'
import { migrate, queue, run } from './support/run-test-worker.js'

const count = 300
const retryQueues = ['audit.events.retry.10s', 'audit.events.retry.60s']

async function publishAll({ vhost, cleanUp }: Pick<TestFixtures, 'vhost' | 'cleanUp'>): Promise<void> {
  const sending = createMessageQueue({ url: vhost.url })
  cleanUp(() => sending.close())
  await Promise.all(Array.from({ length: count }, () => sending.sendAuditEvent(examples['audit.event'])))
}

const countDeferred = async (vhost: TestVhost) => {
  const counts = await Promise.all(retryQueues.map((name) => vhost.countMessages(name)))
  return counts.reduce((sum, each) => sum + each)
}

const changesOf = (worker: ReturnType<typeof run>, dependency: string) =>
  worker.logs.records.filter((record) => record.dependency === dependency).map(({ msg }) => msg)

const opened = 'A dependency cannot be used; nothing is taken until it can'
const answers = 'A dependency answers again; deliveries are taken'

/** A worker that inserts a row for each message, with its database behind a proxy. */
async function startInserting({ vhost, database, cleanUp }: Pick<TestFixtures, 'vhost' | 'database' | 'cleanUp'>) {
  await migrate(database)
  const proxy = await createTcpProxy({ target: database.url })
  cleanUp(() => proxy.close())
  const worker = run(
    { rabbitmqUrl: vhost.url, databaseUrl: proxy.url(database.url) },
    {
      start: async ({ pool, messageQueue, onSettled }) => {
        const insert: MessageHandler<typeof queue> = async () => {
          await pool.query('insert into audit.events values (1)').catch((error: unknown) => {
            throw toDatabaseError(error)
          })
        }
        return { consumer: await messageQueue.consumeMessages(queue, insert, { prefetch: 10, onSettled }) }
      },
    },
  )
  await worker.ready()
  return { proxy, worker, countDone: async () => (await database.query('select from audit.events')).length }
}

describe('a worker whose database goes', () => {
  test('leaves its backlog in the queue, says so, and works within ten seconds of the return', async ({
    vhost,
    database,
    cleanUp,
  }) => {
    const { proxy, worker, countDone } = await startInserting({ vhost, database, cleanUp })
    await proxy.down()
    await publishAll({ vhost, cleanUp })
    await worker.ready(503)
    expect(await (await worker.get('/readyz')).json()).toMatchObject({
      checks: { consumer: { state: 'paused' }, breakers: { database: { state: 'open', error: expect.any(String) } } },
    })
    expect(await (await worker.get('/metrics')).text()).toMatch(/mono_breaker_open\{dependency="database".*\} 1/)
    await waitFor(async () => (await countDeferred(vhost)) + (await vhost.countMessages(queue)) === count, {
      what: 'nothing in flight',
    })
    // What was in flight, and what the broker had sent by the time that it was told; prefetch is 10.
    expect(await countDeferred(vhost)).toBeLessThanOrEqual(5 + 2 * 10)

    const since = performance.now()
    await proxy.up()
    await worker.ready()
    await waitFor(async () => (await vhost.countMessages(queue)) === 0, { what: 'the backlog to be taken' })
    expect(performance.now() - since).toBeLessThan(10_000)
    await waitFor(async () => (await countDone()) === count, {
      what: 'all of it to be done, what was deferred included',
      timeoutMs: 30_000,
    })
    expect(changesOf(worker, 'database')).toEqual([opened, answers])
    expect(await (await worker.get('/metrics')).text()).toMatch(/mono_breaker_open\{dependency="database".*\} 0/)
    await worker.stop()
    expect(worker.host.exitCode).toBe(0)
    expect(await vhost.countMessages(`${queue}.dlq`)).toBe(0)
  })

  test('or hangs, leaves its backlog in the queue too, and works within ten seconds of the return', async ({
    vhost,
    database,
    cleanUp,
  }) => {
    const { proxy, worker, countDone } = await startInserting({ vhost, database, cleanUp })
    proxy.freeze()
    await publishAll({ vhost, cleanUp })
    await waitFor(async () => changesOf(worker, 'database').length > 0, { what: 'it to be noticed', timeoutMs: 20_000 })
    await worker.ready(503)
    // Ten connections hang with what they do; a delivery that waits for one is deferred after 5 s.
    expect(await vhost.countMessages(queue)).toBeGreaterThanOrEqual(count - (5 + 3 * 10))

    const since = performance.now()
    proxy.thaw()
    await waitFor(async () => (await vhost.countMessages(queue)) === 0, { what: 'the backlog to be taken' })
    expect(performance.now() - since).toBeLessThan(10_000)
    await worker.ready()
    await waitFor(async () => (await countDone()) === count, {
      what: 'all of it to be done, what was deferred included',
      timeoutMs: 30_000,
    })
    expect(changesOf(worker, 'database')).toEqual([opened, answers])
    await worker.stop()
    await waitFor(() => proxy.connections === 0, { what: 'the pool to be closed' })
    expect(worker.host.exitCode).toBe(0)
  })
})

describe('a worker with another dependency', () => {
  test('takes nothing while that does not answer, and one at a time until a delivery is done', async ({
    vhost,
    database,
    cleanUp,
  }) => {
    await migrate(database)
    let answering = true
    let working = true
    let handled = 0
    const worker = run(
      { rabbitmqUrl: vhost.url, databaseUrl: database.url },
      {
        start: async ({ messageQueue, onSettled }) => {
          const handler: MessageHandler<typeof queue> = async () => {
            handled += 1
            if (!working) throw new DeferError('no answer', { code: 'PROVIDER_UNAVAILABLE' })
          }
          const probe = async () => {
            if (!answering) throw new Error('no answer')
          }
          return {
            consumer: await messageQueue.consumeMessages(queue, handler, { prefetch: 10, onSettled }),
            dependencies: [{ name: 'smtp', code: 'PROVIDER_UNAVAILABLE', probe }],
          }
        },
      },
    )
    await worker.ready()
    answering = false
    working = false
    await publishAll({ vhost, cleanUp })
    await worker.ready(503)
    expect(await (await worker.get('/readyz')).json()).toMatchObject({
      checks: { breakers: { database: { state: 'closed' }, smtp: { state: 'open' } } },
    })
    await waitFor(async () => (await countDeferred(vhost)) + (await vhost.countMessages(queue)) === count, {
      what: 'nothing in flight',
    })

    // It answers, but does not work: each trial costs one delivery.
    const handledBefore = handled
    const trialsBefore = changesOf(worker, 'smtp').filter((msg) => msg === answers).length
    answering = true
    await waitFor(() => changesOf(worker, 'smtp').filter((msg) => msg === opened).length >= trialsBefore + 3, {
      what: 'two trials in vain',
      timeoutMs: 20_000,
    })
    expect(handled - handledBefore).toBeLessThanOrEqual(3)
    working = true
    await worker.ready()
    await waitFor(async () => (await vhost.countMessages(queue)) === 0, { what: 'the backlog to be taken' })
    await worker.stop()
    expect(worker.host.exitCode).toBe(0)
  })

  test('can be stopped while that does not answer', async ({ vhost, database, cleanUp }) => {
    await migrate(database)
    const worker = run(
      { rabbitmqUrl: vhost.url, databaseUrl: database.url },
      {
        start: async ({ messageQueue, onSettled }) => {
          const handler: MessageHandler<typeof queue> = async () => {
            throw new DeferError('no answer', { code: 'PROVIDER_UNAVAILABLE' })
          }
          const probe = () => Promise.reject(new Error('no answer'))
          return {
            consumer: await messageQueue.consumeMessages(queue, handler, { onSettled }),
            dependencies: [{ name: 'smtp', code: 'PROVIDER_UNAVAILABLE', probe }],
          }
        },
      },
    )
    await worker.ready()
    await publishAll({ vhost, cleanUp })
    await worker.ready(503)
    await worker.stop()
    expect(worker.host.exitCode).toBe(0)
  })
})

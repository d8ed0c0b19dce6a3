import { examples } from '@mono/contracts'
import { createMessageQueue, type MessageHandler } from '@mono/message-queue'
import { type TestFixtures, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { toDatabaseError } from '../src/to-database-error.js'
import { migrate, queue, run } from './support/run-test-worker.js'

const count = 20
/** Row by row: a statement without rows, as the probe has it, shows nothing of this. */
const failAll = `
  create function audit.fail() returns trigger language plpgsql as
    $$ begin raise exception 'missing chunk number 0 for toast value' using errcode = 'XX001'; end $$;
  create trigger fail before insert on audit.events for each row execute function audit.fail()`

async function startInserting({ vhost, database }: Pick<TestFixtures, 'vhost' | 'database'>) {
  await migrate(database)
  const worker = run(
    { rabbitmqUrl: vhost.url, databaseUrl: database.url },
    {
      start: async ({ pool, messageQueue, judged, onSettled }) => {
        const insert: MessageHandler<typeof queue> = async ({ payload }) => {
          if (payload.eventType === 'broken') throw new Error('this message cannot be done')
          await pool.query('insert into audit.events values (1)').catch((error: unknown) => {
            throw toDatabaseError(error)
          })
        }
        const handler = judged.message(insert)
        return { consumer: await messageQueue.consumeMessages(queue, handler, { prefetch: 10, onSettled }) }
      },
    },
  )
  await worker.ready()
  return worker
}

function openSender({ vhost, cleanUp }: Pick<TestFixtures, 'vhost' | 'cleanUp'>) {
  const sending = createMessageQueue({ url: vhost.url })
  cleanUp(() => sending.close())
  return (tenantId: number, eventType: string) =>
    sending.sendAuditEvent({ ...examples['audit.event'], tenantId, eventType })
}

const upTo = (length: number) => Array.from({ length }, (_, index) => index)

describe('what a database does to every message', () => {
  test('is counted against none of them, and said in the words of the database', async ({
    vhost,
    database,
    cleanUp,
  }) => {
    const worker = await startInserting({ vhost, database })
    const send = openSender({ vhost, cleanUp })
    await database.query(failAll)
    await Promise.all(upTo(count).map(() => send(1, 'good')))
    await worker.ready(503)
    const { checks } = await waitFor(
      async () => {
        // biome-ignore lint/suspicious/noExplicitAny: the body of /readyz
        const body: any = await (await worker.get('/readyz')).json()
        return body.checks.breakers.database.state === 'open' && body
      },
      { what: 'an open breaker' },
    )
    expect(checks.breakers.database.error).toContain('missing chunk number 0 for toast value')
    await database.query('drop trigger fail on audit.events')
    await waitFor(async () => (await database.query('select from audit.events')).length === count, {
      what: 'all to be done',
      timeoutMs: 40_000,
    })
    expect(worker.logs.count('Retried')).toBe(0)
    expect(await vhost.countMessages(`${queue}.dlq`)).toBe(0)
    await worker.stop()
  })
})

describe('what one tenant’s messages do to themselves', () => {
  test('stops nobody else', async ({ vhost, database, cleanUp }) => {
    const worker = await startInserting({ vhost, database })
    const send = openSender({ vhost, cleanUp })
    await send(2, 'good')
    await waitFor(async () => (await database.query('select from audit.events')).length === 1, { what: 'the first' })
    await Promise.all(upTo(count).map(() => send(1, 'broken')))
    await waitFor(() => worker.logs.count('Retried') === count, { what: 'each to be tried' })
    await send(2, 'good')
    await waitFor(async () => (await database.query('select from audit.events')).length === 2, { what: 'the other' })
    expect((await worker.get('/readyz')).status).toBe(200)
    await worker.stop()
  })
})

import { createMessageQueue } from '@mono/message-queue'
import { migrate, printNumbers, type TestFixtures, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createConversationPublisher, findFaults } from './conversation-publisher.js'
import { declareOldTopology, findQueues } from './old-topology.js'
import { chatMessage } from './received-chat-message.js'

const migrated = {
  'chat.messages': 0,
  'chat.messages.migrating': undefined,
  'chat.messages.dlq': 0,
  'chat.messages.retry.1s': undefined,
  'chat.messages.retry.5s': undefined,
}

const filledWith = 25

/** The command logs these at its steps. Killed after one, it begins with that or the next. */
const steps = [
  'New messages go to the queue that stands in',
  'Consumer state changed',
  'The queue is drained',
  'The retry queues are deleted',
  'The old queue is deleted',
  'New messages go to the queue only',
  'The queue is drained',
]

async function setUp({
  vhost,
  database,
  workers,
  cleanUp,
}: Pick<TestFixtures, 'vhost' | 'database' | 'workers' | 'cleanUp'>) {
  await migrate('chat-worker', database.url)
  await declareOldTopology(vhost)
  const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
  cleanUp(() => messageQueue.close())
  const env = { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url }
  return {
    publisher: createConversationPublisher(messageQueue),
    startWorker: () => workers.spawn('chat-worker', env),
    startMigration: () => workers.spawn('chat-worker', { ...env, SHUTDOWN_GRACE_MS: '0' }, { entry: 'migrate-queue' }),
    countStored: async () => {
      const [row] = await database.query<{ count: number }>('SELECT count(*)::int FROM chat.messages')
      return row?.count ?? 0
    },
  }
}

/** As a worker that has failed once leaves them. */
async function putIntoRetryQueues({ vhost }: Pick<TestFixtures, 'vhost'>): Promise<number> {
  const count = 10
  const headers = { 'x-attempts': 1, 'x-original-exchange': 'messages', 'x-original-routing-key': 'chat.direct' }
  for (let index = 0; index < count; index += 1) {
    const messageId = `retried-${index}`
    const body = chatMessage({ messageId, conversationId: `room-${index}`, content: 'retried' })
    const step = index % 2 === 0 ? '1s' : '5s'
    await vhost.publish('chat.messages.retry', step, body, { messageId, type: 'chat.message', headers })
  }
  return count
}

const fatalOf = (logs: readonly Record<string, unknown>[]) =>
  logs.filter(({ level }) => level === 'fatal').map(({ err }) => err as { code?: string; message: string })

describe('migrating the queue of chat messages', () => {
  test('loses nothing and keeps the order of what is published meanwhile', async ({
    vhost,
    database,
    workers,
    cleanUp,
  }) => {
    const { publisher, startMigration, startWorker, countStored } = await setUp({ vhost, database, workers, cleanUp })
    await publisher.send(filledWith)
    const retried = await putIntoRetryQueues({ vhost })
    publisher.begin()
    const since = performance.now()
    const migration = startMigration()
    expect(await migration.exited).toEqual({ code: 0, signal: null })
    const migrationMs = Math.round(performance.now() - since)
    const storedByMigration = await countStored()
    const worker = startWorker()
    await worker.ready()
    const sentBefore = publisher.sent
    await waitFor(() => publisher.sent >= sentBefore + 100, { what: 'messages to be sent while the worker runs' })
    await publisher.end()
    await waitFor(async () => (await countStored()) >= publisher.sent + retried, {
      what: 'all messages to be stored',
      timeoutMs: 30_000,
    })
    printNumbers('chat queue migration', {
      sent: publisher.sent,
      retried,
      migrationMs,
      storedByMigration,
      drained: migration.logs.flatMap(({ msg, source, messages }) =>
        msg === 'The queue is drained' ? { source, messages } : [],
      ),
    })
    expect(await countStored()).toBe(publisher.sent + retried)
    expect(await findFaults(database)).toEqual({ gaps: 0, disordered: 0 })
    expect(await findQueues(vhost)).toEqual(migrated)
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  }, 180_000)

  test('may be interrupted at each step and is run again', async ({ vhost, database, workers, cleanUp }) => {
    const { publisher, startMigration, startWorker, countStored } = await setUp({ vhost, database, workers, cleanUp })
    await publisher.send(filledWith)
    const retried = await putIntoRetryQueues({ vhost })
    publisher.begin()
    const interruptions: unknown[] = []
    for (const step of steps) {
      const migration = startMigration()
      await waitFor(() => migration.logs.some(({ msg }) => msg === step), {
        what: `the migration to say: ${step}`,
        timeoutMs: 120_000,
        intervalMs: 1,
      })
      migration.kill('SIGKILL')
      await migration.exited
      interruptions.push(migration.logs.at(-1)?.msg)
    }
    const last = startMigration()
    expect(await last.exited).toEqual({ code: 0, signal: null })
    const worker = startWorker()
    await worker.ready()
    await publisher.end()
    await waitFor(async () => (await countStored()) >= publisher.sent + retried, {
      what: 'all messages to be stored',
      timeoutMs: 90_000,
    })
    printNumbers('chat queue migration, interrupted', { sent: publisher.sent, interruptions })
    expect(await countStored()).toBe(publisher.sent + retried)
    expect(await findFaults(database)).toEqual({ gaps: 0, disordered: 0 })
    expect(await findQueues(vhost)).toEqual(migrated)
    expect(await worker.terminate()).toEqual({ code: 0, signal: null })
  }, 300_000)

  test('is refused while somebody consumes the queue', async ({ vhost, database, workers, cleanUp }) => {
    const { publisher, startMigration } = await setUp({ vhost, database, workers, cleanUp })
    await vhost.withChannel(async (channel) => {
      await channel.prefetch(1)
      await channel.consume('chat.messages', () => {})
      await publisher.send(1)
      const migration = startMigration()
      expect(await migration.exited).toEqual({ code: 1, signal: null })
      expect(fatalOf(migration.logs)[0]?.message).toBe(
        'chat.messages is being consumed (consumers: 1). Stop all its workers first.',
      )
    })
    // The broker takes back what the consumer had in hand some time after its channel is closed.
    await waitFor(async () => (await findQueues(vhost))['chat.messages'] === 20, { what: 'all messages to be ready' })
    expect((await findQueues(vhost))['chat.messages.migrating']).toBeUndefined()
  })

  test('has nothing to do when the queue is as it is wanted', async ({ vhost, database, workers, cleanUp }) => {
    const { startMigration } = await setUp({ vhost, database, workers, cleanUp })
    await vhost.withChannel((channel) => channel.deleteQueue('chat.messages'))
    const migration = startMigration()
    expect(await migration.exited).toEqual({ code: 0, signal: null })
    expect(await findQueues(vhost)).toEqual(migrated)
    await expect(vhost.withChannel((channel) => channel.checkExchange('chat.messages.retry'))).rejects.toThrow(
      'NOT_FOUND',
    )
  })
})

describe('chat-worker', () => {
  test('says which command migrates a queue that does not keep the order', async ({
    vhost,
    database,
    workers,
    cleanUp,
  }) => {
    const { startWorker } = await setUp({ vhost, database, workers, cleanUp })
    const worker = startWorker()
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    expect(fatalOf(worker.logs)).toMatchObject([
      { code: 'TOPOLOGY_MISMATCH', message: expect.stringContaining('Run `npm run migrate:chat-queue`.') },
    ])
  })

  test('does not start before a migration has come to its end', async ({ vhost, database, workers, cleanUp }) => {
    const { publisher, startMigration, startWorker, countStored } = await setUp({ vhost, database, workers, cleanUp })
    await vhost.withChannel((channel) => channel.deleteQueue('chat.messages'))
    await vhost.importDefinitions()
    await vhost.withChannel((channel) => channel.assertQueue('chat.messages.migrating', standInOptions))
    await vhost.withChannel((channel) => channel.bindQueue('chat.messages.migrating', 'messages', 'chat.*'))
    await publisher.send(1)
    const worker = startWorker()
    expect(await worker.exited).toEqual({ code: 1, signal: null })
    expect(fatalOf(worker.logs)).toMatchObject([
      {
        code: 'MIGRATION_PENDING',
        message:
          'chat.messages.migrating exists: the migration of chat.messages has not come to its end. Run `npm run migrate:chat-queue`.',
      },
    ])
    expect(await countStored()).toBe(0)
    const migration = startMigration()
    expect(await migration.exited).toEqual({ code: 0, signal: null })
    expect(await countStored()).toBe(20)
    expect(await findQueues(vhost)).toEqual({ ...migrated, 'chat.messages': 20 })
  })
})

const standInOptions = { durable: true, arguments: { 'x-queue-type': 'quorum' } }

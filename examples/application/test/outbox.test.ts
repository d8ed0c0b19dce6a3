import { createTcpProxy, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { readOutboxState } from '../src/outbox/index.js'
import {
  chatMessage,
  commit,
  commitNumbers,
  conversations,
  countStored,
  countWaiting,
  inOrder,
  openRelay,
  prepareOutbox,
  readStored,
  startJudge,
} from './support/outbox-under-test.js'

test('what is written while the broker is away arrives when it is back, in order, and nothing is marked', async ({
  database,
  vhost,
  workers,
  cleanUp,
}) => {
  const pool = await prepareOutbox(database)
  const judge = await startJudge({ database, vhost, workers })
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const relay = openRelay({ database, vhost, cleanUp }, { brokerUrl: proxy.url(vhost.url), deadlineMs: 1_000 })
  await commitNumbers(pool, { to: 10 })
  await waitFor(() => relay.sent.length > 0, { what: 'the first to be sent' })
  await proxy.down()
  await commitNumbers(pool, { from: 10, to: 170 })
  await waitFor(() => relay.held.length > 0, { what: 'the relay to be held up' })
  const { waiting, lagSeconds, failed } = await readOutboxState(pool)
  expect(waiting).toBeGreaterThanOrEqual(960)
  expect(lagSeconds).toBeGreaterThan(0)
  expect(failed).toBe(0)
  await proxy.up()
  await waitFor(async () => (await countStored(database)) === 170 * conversations.length, { what: 'all to arrive' })
  expect(await readStored(database)).toEqual(inOrder(170))
  await waitFor(async () => (await countWaiting(database)) === 0, { what: 'the outbox to be empty' })
  expect(relay.failed).toEqual([])
  await relay.stop()
  await judge.terminate()
})

test('two relays send each message once, in order', async ({ database, vhost, workers, cleanUp }) => {
  const pool = await prepareOutbox(database)
  const judge = await startJudge({ database, vhost, workers })
  // Longer than a busy machine may keep a relay from renewing.
  const relays = [1, 2].map(() => openRelay({ database, vhost, cleanUp }, { leaseMs: 60_000 }))
  await commitNumbers(pool, { to: 60 })
  await waitFor(async () => (await countStored(database)) === 60 * conversations.length, { what: 'all to arrive' })
  expect(await readStored(database)).toEqual(inOrder(60))
  await waitFor(async () => (await countWaiting(database)) === 0, { what: 'the outbox to be empty' })
  const sent = relays.flatMap((relay) => relay.sent)
  expect(sent).toHaveLength(60 * conversations.length)
  for (const relay of relays) await relay.stop()
  await judge.terminate()
})

test('two relays that both believe a lane is theirs send a message twice, and none before its predecessor', async ({
  database,
  vhost,
  workers,
  cleanUp,
}) => {
  const pool = await prepareOutbox(database)
  const judge = await startJudge({ database, vhost, workers })
  await commitNumbers(pool, { to: 40 })
  const relays = [1, 2].map(() => openRelay({ database, vhost, cleanUp }, { pollMs: 10 }))
  const stealing = setInterval(() => {
    void pool.query('UPDATE example.outbox_lanes SET held_until = NULL')
  }, 10)
  cleanUp(() => clearInterval(stealing))
  await waitFor(async () => (await countWaiting(database)) === 0, { what: 'the outbox to be empty' })
  clearInterval(stealing)
  await waitFor(async () => (await countStored(database)) === 40 * conversations.length, { what: 'all to arrive' })
  expect(await readStored(database)).toEqual(inOrder(40))
  expect(relays.flatMap(({ sent }) => sent).length).toBeGreaterThan(40 * conversations.length)
  for (const relay of relays) await relay.stop()
  await judge.terminate()
})

test('a relay that loses its lease sends nothing more of the lane', async ({ database, vhost, cleanUp }) => {
  const pool = await prepareOutbox(database)
  await commit(
    pool,
    [0, 1, 2].map((number) => chatMessage('room-0', number)),
  )
  const tried: string[] = []
  let release: () => void = () => undefined
  const relay = openRelay(
    { database, vhost, cleanUp },
    {
      leaseMs: 300,
      pollMs: 60_000,
      async send({ messageId }) {
        tried.push(messageId)
        if (tried.length > 1) return
        await new Promise<void>((resolve) => {
          release = resolve
        })
      },
    },
  )
  // A relay that is stopped waits for what is on its way.
  cleanUp(() => release())
  await waitFor(() => tried.length > 0, { what: 'the first to be on its way' })
  await pool.query("UPDATE example.outbox_lanes SET token = token + 1, holder = 'another', held_until = 'infinity'")
  // The relay renews three times a lease, and then knows; it is told by nobody.
  const [before] = await database.query<{ now: Date }>('SELECT clock_timestamp() AS now')
  await waitFor(
    async () => {
      const [row] = await database.query<{ passed: boolean }>(
        "SELECT clock_timestamp() > $1::timestamptz + interval '600 milliseconds' AS passed",
        [before?.now],
      )
      return row?.passed
    },
    { what: 'two leases to pass' },
  )
  release()
  await waitFor(async () => (await countWaiting(database)) <= 2, { what: 'the first to be deleted' })
  await relay.stop()
  expect(tried).toEqual(['room-0-0'])
})

test('a message that can never be sent is marked with its reason, and its successors go on', async ({
  database,
  vhost,
  workers,
  cleanUp,
}) => {
  const pool = await prepareOutbox(database)
  const judge = await startJudge({ database, vhost, workers })
  const poison = { ...chatMessage('room-0', 1), body: '{"messageId":"room-0-1"}' }
  await commit(pool, [chatMessage('room-0', 0), poison, chatMessage('room-0', 2), chatMessage('room-1', 0)])
  const relay = openRelay({ database, vhost, cleanUp })
  await waitFor(async () => (await countWaiting(database)) === 1, { what: 'all but one to be sent' })
  const [row] = await database.query('SELECT message_id, failed_code, failed_reason FROM example.outbox')
  expect(row).toEqual({
    message_id: 'room-0-1',
    failed_code: 'INVALID_MESSAGE',
    failed_reason: expect.stringContaining('conversationId'),
  })
  expect((await readOutboxState(pool)).failed).toBe(1)
  await waitFor(async () => (await countStored(database)) === 3, { what: 'the others to be stored' })
  expect(await readStored(database)).toEqual({ 'room-0': [0, 2], 'room-1': [0] })
  await relay.stop()
  await judge.terminate()
})

test('what the broker’s user may not publish is marked, and what it may goes on', async ({
  database,
  vhost,
  cleanUp,
}) => {
  const pool = await prepareOutbox(database)
  await vhost.importDefinitions()
  const user = await vhost.createUser()
  await user.setPermissions({ write: '^messages$' })
  await commit(pool, [
    { messageId: 'event-0', tenantId: 1, type: 'audit.event', orderKey: 'User u', body: auditBody },
    chatMessage('room-0', 0),
  ])
  const relay = openRelay({ database, vhost, cleanUp }, { brokerUrl: user.url })
  await waitFor(() => relay.failed.length > 0 && relay.sent.length > 0, { what: 'both to be tried' })
  expect(relay.failed).toEqual([{ messageId: 'event-0', code: 'PUBLISH_FORBIDDEN' }])
  expect(relay.sent).toEqual(['room-0-0'])
  await relay.stop()
})

test('while its queue does not exist a type waits, unmarked, and goes when it is there', async ({
  database,
  vhost,
  workers,
  cleanUp,
}) => {
  const pool = await prepareOutbox(database)
  const relay = openRelay({ database, vhost, cleanUp })
  await commit(pool, [chatMessage('room-0', 0), chatMessage('room-0', 1)])
  await waitFor(() => relay.held.length > 1, { what: 'the relay to be held up twice' })
  expect(relay.held[0]).toMatchObject({ code: 'UNROUTABLE' })
  expect((await readOutboxState(pool)).failed).toBe(0)
  const judge = await startJudge({ database, vhost, workers })
  await waitFor(async () => (await countStored(database)) === 2, { what: 'both to be stored' })
  expect(await readStored(database)).toEqual({ 'room-0': [0, 1] })
  await relay.stop()
  await judge.terminate()
})

test('an answer that is lost is no success: the message is sent again under its id, before its successor', async ({
  database,
  vhost,
  workers,
  cleanUp,
}) => {
  const pool = await prepareOutbox(database)
  const judge = await startJudge({ database, vhost, workers })
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const relay = openRelay({ database, vhost, cleanUp }, { brokerUrl: proxy.url(vhost.url), deadlineMs: 500 })
  await commitNumbers(pool, { to: 1 })
  await waitFor(async () => (await countWaiting(database)) === 0, { what: 'the first to be sent' })
  proxy.freeze('from-target')
  await commitNumbers(pool, { from: 1, to: 3 })
  await waitFor(() => relay.held.some((error) => (error as { code?: string }).code === 'PUBLISH_TIMEOUT'), {
    what: 'an answer that did not come',
  })
  expect(await countWaiting(database)).toBe(2 * conversations.length)
  proxy.thaw()
  await waitFor(async () => (await countWaiting(database)) === 0, { what: 'the outbox to be empty' })
  await waitFor(async () => (await countStored(database)) === 3 * conversations.length, { what: 'all to be stored' })
  expect(await readStored(database)).toEqual(inOrder(3))
  await relay.stop()
  await judge.terminate()
})

test('a transaction that began first and commits last is sent last, and what is rolled back never', async ({
  database,
  vhost,
  cleanUp,
}) => {
  const pool = await prepareOutbox(database)
  await vhost.importDefinitions()
  const slow = await pool.connect()
  await slow.query('BEGIN')
  await slow.query('SELECT example.enqueue(1, $1, $2, $3, $4)', Object.values(enqueueArguments('room-0', 0)))
  const rolledBack = await pool.connect()
  await rolledBack.query('BEGIN')
  await rolledBack.query('SELECT example.enqueue(1, $1, $2, $3, $4)', Object.values(enqueueArguments('room-1', 9)))
  const next = commit(pool, [chatMessage('room-0', 1)])
  const isWaiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
  await waitFor(async () => (await database.query(isWaiting)).length === 1, { what: 'the successor to wait' })
  const relay = openRelay({ database, vhost, cleanUp })
  await commit(pool, [chatMessage('room-2', 0)])
  await waitFor(() => relay.sent.includes('room-2-0'), { what: 'another conversation to go on' })
  expect(relay.sent).toEqual(['room-2-0'])
  await rolledBack.query('ROLLBACK')
  rolledBack.release()
  await slow.query('COMMIT')
  slow.release()
  await next
  await waitFor(() => relay.sent.length === 3, { what: 'both of the conversation to be sent' })
  expect(relay.sent.filter((id) => id !== 'room-2-0')).toEqual(['room-0-0', 'room-0-1'])
  expect(await countWaiting(database)).toBe(0)
  await relay.stop()
})

test('a relay is woken by the commit, and finds by itself what nobody told it of', async ({
  database,
  vhost,
  cleanUp,
}) => {
  const pool = await prepareOutbox(database)
  await vhost.importDefinitions()
  const woken = openRelay({ database, vhost, cleanUp }, { pollMs: 3_600_000 })
  await waitFor(
    async () => {
      const rows = await database.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'example outbox listen'",
      )
      return rows.length === 1
    },
    { what: 'the relay to listen' },
  )
  await commit(pool, [chatMessage('room-0', 0)])
  await waitFor(() => woken.sent.length === 1, { what: 'the relay to be woken' })
  await woken.stop()

  const polling = openRelay({ database, vhost, cleanUp }, { pollMs: 100 })
  await waitFor(async () => (await endListening(database.query)) > 0, { what: 'the connection that listens to be cut' })
  await database.query("INSERT INTO example.outbox_lanes (lane) VALUES ('quiet') ON CONFLICT DO NOTHING")
  await database.query(
    `INSERT INTO example.outbox (tenant_id, message_id, type, order_key, lane, body)
     VALUES (1, 'room-0-1', 'chat.message', 'room-0', 'quiet', $1)`,
    [chatMessage('room-0', 1).body],
  )
  await waitFor(() => polling.sent.length === 1, { what: 'the relay to find it' })
  await polling.stop()
})

const auditBody = JSON.stringify({
  eventType: 'USER_UPDATED',
  userId: 'ada',
  tenantId: 1,
  entityType: 'User',
  entityId: 'u',
  changes: {},
  timestamp: new Date().toISOString(),
})

function enqueueArguments(conversationId: string, number: number) {
  const { messageId, type, orderKey, body } = chatMessage(conversationId, number)
  return { messageId, type, orderKey, body }
}

async function endListening(query: (sql: string) => Promise<unknown[]>): Promise<number> {
  const ended = await query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'example outbox listen'`,
  )
  return ended.length
}

import { waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { readOutboxState } from '../src/outbox/index.js'
import { findAdvisoryLocks } from './support/find-advisory-locks.js'
import {
  auditEvent,
  chatMessage,
  commit,
  commitNumbers,
  conversations,
  countWaiting,
  inOrder,
  test,
  untilSent,
} from './support/outbox-test.js'

test('two relays send each message once, in order', async ({ database, pool, openRelay, arrivals }) => {
  // Longer than a busy machine may keep a relay from renewing.
  const relays = [1, 2].map(() => openRelay({ leaseMs: 60_000 }))
  await commitNumbers(pool, { to: 60 })
  await arrivals.until(60 * conversations.length)
  expect(await arrivals.read()).toEqual(inOrder(60))
  await untilSent(database)
  const sent = relays.flatMap((relay) => relay.sent)
  expect(sent).toHaveLength(60 * conversations.length)
})

test('two relays that both believe a lane is theirs send a message twice, and none before its predecessor', async ({
  database,
  pool,
  openRelay,
  arrivals,
  cleanUp,
}) => {
  await commitNumbers(pool, { to: 40 })
  const relays = [1, 2].map(() => openRelay({ pollMs: 10 }))
  const stealing = setInterval(() => {
    void pool.query('UPDATE example.outbox_lanes SET held_until = NULL')
  }, 10)
  cleanUp(() => clearInterval(stealing))
  await untilSent(database)
  clearInterval(stealing)
  await arrivals.until(40 * conversations.length)
  expect(await arrivals.read()).toEqual(inOrder(40))
  expect(relays.flatMap(({ sent }) => sent).length).toBeGreaterThan(40 * conversations.length)
})

test('a relay that loses its lease sends nothing more of the lane', async ({ database, pool, openRelay, cleanUp }) => {
  await commit(
    pool,
    [0, 1, 2].map((number) => chatMessage('room-0', number)),
  )
  const tried: string[] = []
  let release: () => void = () => undefined
  const relay = openRelay({
    leaseMs: 300,
    pollMs: 60_000,
    async send({ messageId }) {
      tried.push(messageId)
      if (tried.length > 1) return
      await new Promise<void>((resolve) => {
        release = resolve
      })
    },
  })
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
  pool,
  openRelay,
  arrivals,
}) => {
  const poison = { ...chatMessage('room-0', 1), body: '{"messageId":"room-0-1"}' }
  await commit(pool, [chatMessage('room-0', 0), poison, chatMessage('room-0', 2), chatMessage('room-1', 0)])
  openRelay()
  await untilSent(database, 1)
  const [row] = await database.query('SELECT message_id, failed_code, failed_reason FROM example.outbox')
  expect(row).toEqual({
    message_id: 'room-0-1',
    failed_code: 'INVALID_MESSAGE',
    failed_reason: expect.stringContaining('conversationId'),
  })
  expect((await readOutboxState(pool)).failed).toBe(1)
  await arrivals.until(3)
  expect(await arrivals.read()).toEqual({ 'room-0': [0, 2], 'room-1': [0] })
})

test('what the broker’s user may not publish is marked, and what it may goes on', async ({
  vhost,
  pool,
  openRelay,
}) => {
  await vhost.importDefinitions()
  const user = await vhost.createUser()
  await user.setPermissions({ write: '^messages$' })
  await commit(pool, [auditEvent('event-0'), chatMessage('room-0', 0)])
  const relay = openRelay({ brokerUrl: user.url })
  await waitFor(() => relay.failed.length > 0 && relay.sent.length > 0, { what: 'both to be tried' })
  expect(relay.failed).toEqual([{ messageId: 'event-0', code: 'PUBLISH_FORBIDDEN' }])
  expect(relay.sent).toEqual(['room-0-0'])
  await relay.stop()
})

test('a transaction that began first and commits last is sent last, and what is rolled back never', async ({
  database,
  vhost,
  pool,
  openRelay,
}) => {
  await vhost.importDefinitions()
  const slow = await pool.connect()
  await slow.query('BEGIN')
  await slow.query('SELECT example.enqueue(1, $1, $2, $3, $4)', Object.values(enqueueArguments('room-0', 0)))
  const rolledBack = await pool.connect()
  await rolledBack.query('BEGIN')
  await rolledBack.query('SELECT example.enqueue(1, $1, $2, $3, $4)', Object.values(enqueueArguments('room-1', 9)))
  const next = commit(pool, [chatMessage('room-0', 1)])
  const countWaitingForLock = async () => (await findAdvisoryLocks(database, { granted: false })).length
  await waitFor(async () => (await countWaitingForLock()) === 1, { what: 'the successor to wait' })
  const relay = openRelay()
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
  pool,
  openRelay,
}) => {
  await vhost.importDefinitions()
  const woken = openRelay({ pollMs: 3_600_000 })
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

  // Where it would listen, nobody answers.
  const polling = openRelay({ pollMs: 100, databaseUrl: 'postgres://127.0.0.1:1/mono' })
  // One after the other: the first may be there already when it looks at its start.
  for (const number of [1, 2, 3]) {
    await commit(pool, [chatMessage('room-0', number)])
    await waitFor(() => polling.sent.includes(`room-0-${number}`), { what: 'the relay to find it' })
  }
  await polling.stop()
})

function enqueueArguments(conversationId: string, number: number) {
  const { messageId, type, orderKey, body } = chatMessage(conversationId, number)
  return { messageId, type, orderKey, body }
}

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createTcpProxy, hasPgbouncer, printNumbers, startPgbouncer, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { createPool } from '../src/database.js'
import { runMigrations } from '../src/migrations.js'
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

/** How long the broker stays away when all is written, in milliseconds. Default 0; a run by hand may say a minute. */
// biome-ignore lint/style/noProcessEnv: said by whoever runs it by hand
const awayMs = Number(process.env.OUTBOX_AWAY_MS ?? 0)

test('what is written while the broker is away arrives when it is back, in order, and nothing is marked', {
  timeout: 90_000 + awayMs,
}, async ({ database, vhost, pool, openRelay, arrivals, cleanUp }) => {
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const relay = openRelay({ brokerUrl: proxy.url(vhost.url), deadlineMs: 1_000 })
  await commitNumbers(pool, { to: 10 })
  await waitFor(() => relay.sent.length > 0, { what: 'the first to be sent' })
  await proxy.down()
  await commitNumbers(pool, { from: 10, to: 110 })
  await waitFor(() => relay.held.length > 0, { what: 'the relay to be held up' })
  await delay(awayMs)
  const { waiting, lagSeconds, failed } = await readOutboxState(pool)
  expect(waiting).toBeGreaterThanOrEqual(1_000)
  expect(lagSeconds).toBeGreaterThan(0)
  expect(failed).toBe(0)
  const backAt = performance.now()
  await proxy.up()
  await arrivals.until(110 * conversations.length)
  printNumbers('outbox behind an outage', {
    awayMs,
    waiting,
    lagSeconds,
    storedAfterMs: Math.round(performance.now() - backAt),
  })
  expect(await arrivals.read()).toEqual(inOrder(110))
  await untilSent(database)
  expect(relay.failed).toEqual([])
})

test('while its queue does not exist a type waits, unmarked, and goes when it is there', async ({
  vhost,
  pool,
  openRelay,
}) => {
  await vhost.withChannel((channel) => channel.assertExchange('messages', 'topic'))
  const relay = openRelay()
  await commit(pool, [chatMessage('room-0', 0), chatMessage('room-0', 1)])
  await relay.untilHeldBy('UNROUTABLE', 2)
  expect((await readOutboxState(pool)).failed).toBe(0)
  const queue = await vhost.subscribe('messages', 'chat.*')
  const arrived = await vhost.drainQueue(queue, 2)
  expect(arrived.map(({ properties }) => properties.messageId)).toEqual(['room-0-0', 'room-0-1'])
})

test('while its queue is full a type waits, unmarked and in order, and others go on', async ({
  database,
  vhost,
  pool,
  openRelay,
}) => {
  await vhost.importDefinitions()
  await vhost.withChannel(async (channel) => {
    const full = { 'x-queue-type': 'classic', 'x-max-length': 2, 'x-overflow': 'reject-publish' }
    await channel.assertQueue('small', { arguments: full })
    await channel.bindQueue('small', 'messages', 'chat.*')
  })
  await commit(
    pool,
    [0, 1, 2, 3].map((number) => chatMessage('room-0', number)),
  )
  const relay = openRelay()
  await relay.untilHeldBy('QUEUE_FULL', 2)
  await commit(pool, [auditEvent('event-0')])
  await waitFor(() => relay.sent.includes('event-0'), { what: 'another type to go on' })
  expect(await readOutboxState(pool)).toMatchObject({ waiting: 2, failed: 0 })
  const arrived = await vhost.drainQueue('small', 2)
  await untilSent(database)
  arrived.push(...(await vhost.drainQueue('small', 2)))
  expect(arrived.map(({ properties }) => properties.messageId)).toEqual([
    'room-0-0',
    'room-0-1',
    'room-0-2',
    'room-0-3',
  ])
})

test('a relay that is frozen for longer than its lease sends nothing more of what it held', async ({
  database,
  vhost,
  pool,
  openRelay,
  arrivals,
  cleanUp,
}) => {
  await commitNumbers(pool, { to: 100 })
  const frozen = spawn(process.execPath, [fileURLToPath(new URL('support/relaying-process.mjs', import.meta.url))], {
    env: { DATABASE_URL: database.url, RABBITMQ_URL: vhost.url, LEASE_MS: '500' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  cleanUp(async () => {
    const closed = once(frozen, 'close')
    frozen.kill('SIGKILL')
    await closed
  })
  await once(frozen.stdout, 'data')
  // Its lanes can be had when its lease has ended, and not before.
  const other = openRelay({ leaseMs: 60_000 })
  await waitFor(() => other.sent.length > 100, { what: 'the other relay to take over' })
  frozen.kill('SIGCONT')
  await untilSent(database)
  await other.stop()
  // Nobody else can send these: it goes on, and what it held is behind it.
  await commitNumbers(pool, { from: 100, to: 101 })
  await arrivals.until(101 * conversations.length)
  expect(await arrivals.read()).toEqual(inOrder(101))
  await untilSent(database)
  // One message of each conversation at most was on its way.
  expect(await arrivals.countDelivered()).toBeLessThanOrEqual(102 * conversations.length)
})

test('an answer that is lost is no success: the message is sent again under its id, before its successor', async ({
  database,
  vhost,
  pool,
  openRelay,
  arrivals,
  cleanUp,
}) => {
  const proxy = await createTcpProxy({ target: vhost.url })
  cleanUp(() => proxy.close())
  const relay = openRelay({ brokerUrl: proxy.url(vhost.url), deadlineMs: 500 })
  await commitNumbers(pool, { to: 1 })
  await untilSent(database)
  proxy.freeze('from-target')
  await commitNumbers(pool, { from: 1, to: 3 })
  await relay.untilHeldBy('PUBLISH_TIMEOUT', 1)
  expect(await countWaiting(database)).toBe(2 * conversations.length)
  proxy.thaw()
  await untilSent(database)
  await arrivals.until(3 * conversations.length)
  expect(await arrivals.read()).toEqual(inOrder(3))
})

const pooler = hasPgbouncer() ? '' : ' (not installed here)'

test.skipIf(!hasPgbouncer())(
  `two relays behind PgBouncer in transaction mode send each message once, in order${pooler}`,
  async ({ database, openRelay, arrivals, cleanUp }) => {
    const bouncer = await startPgbouncer({ databaseUrl: database.url, poolSize: 3 })
    cleanUp(() => bouncer.close())
    await runMigrations(bouncer.url)
    const pooled = createPool(bouncer.url)
    cleanUp(() => pooled.end())
    const relays = [1, 2].map(() => openRelay({ pool: pooled, databaseUrl: bouncer.url, leaseMs: 60_000 }))
    await commitNumbers(pooled, { to: 20 })
    await arrivals.until(20 * conversations.length)
    expect(await arrivals.read()).toEqual(inOrder(20))
    await untilSent(database)
    // Nobody tells of these: a pooler takes LISTEN and forgets it.
    await commitNumbers(pooled, { from: 20, to: 21 })
    await untilSent(database)
    expect(relays.flatMap(({ sent }) => sent)).toHaveLength(21 * conversations.length)
    // A lock of a session would stay locked for everybody else for ever.
    const countLocks = async () => (await findAdvisoryLocks(database, { granted: true })).length
    await waitFor(async () => (await countLocks()) === 0, { what: 'no lock to be left' })
  },
)

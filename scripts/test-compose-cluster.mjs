// @ts-check
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openCluster } from './compose/cluster.mjs'
import { findObstacle, openFleet, workerNames } from './compose/fleet.mjs'
import { buildPackages, installDependencies } from './prepare.mjs'
import { rootDirectory } from './services/paths.mjs'
import { choosePorts } from './services/ports.mjs'
import { say, step } from './services/progress.mjs'

const usage = `usage: npm run test:compose:cluster [-- --per-second N] [--keep] [--if-possible]

Brings the fleet up with a broker of three nodes under a project of its own, kills each node once and freezes one while
messages flow, and counts their effects. The exit code is 1 if anything is not as it must be.
  --per-second N  messages to each queue; default 10
  --keep          leaves the fleet running
  --if-possible   without Docker, or an image, says so and ends with 0`

/** Until a queue's work goes on without a node. */
const killBarMs = 10_000
/** Nobody is told of a node that is frozen: only its silence tells, to clients by the heartbeat of 10 s. */
const freezeBarMs = 45_000
const beforeMs = 5_000
/** Older than this a message waits, rather than being worked on. */
const backlogAgeMs = 3_000
const wholeLimitMs = 180_000
const doneLimitMs = 180_000

const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)
const seconds = (/** @type {number} */ ms) => (ms / 1000).toFixed(1)

/** @type {string[]} */
const faults = []
const check = (/** @type {boolean} */ holds, /** @type {string} */ fault) => {
  if (!holds) faults.push(fault)
}

/** @param {{ perSecond: number, keep: boolean }} options */
async function testCluster({ perSecond, keep }) {
  await installDependencies()
  await buildPackages()
  // Only here, since they need the dependencies and the build.
  const { default: pg } = await import('pg')
  const { createMessageQueue } = await import('@mono/message-queue')
  const { subscribePushUsers } = await import('./compose/effects.mjs')
  const { Traffic } = await import('./compose/traffic.mjs')
  const { queueNames } = await import('../chaos/messages.mjs')

  const project = `mono-cluster-${createHash('sha256').update(rootDirectory).digest('hex').slice(0, 10)}`
  const shared = await mkdtemp(join(tmpdir(), 'mono-compose-'))
  // For the user of a worker's container.
  await chmod(shared, 0o755)
  const ports = await choosePorts(
    {
      AMQP_PORT: undefined,
      AMQP_PORT_2: undefined,
      AMQP_PORT_3: undefined,
      MANAGEMENT_PORT: undefined,
      MANAGEMENT_PORT_2: undefined,
      MANAGEMENT_PORT_3: undefined,
      RABBITMQ_METRICS_PORT: undefined,
      POSTGRES_PORT: undefined,
      SMTP_PORT: undefined,
      MAIL_PAGE_PORT: undefined,
      PUSH_CONTROL_PORT: undefined,
      PROMETHEUS_PORT: undefined,
      GRAFANA_PORT: undefined,
    },
    project,
  )
  const fleet = openFleet(
    project,
    {
      ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
      ...Object.fromEntries(workerNames.map((name) => [`${name.toUpperCase().replace('-', '_')}_REPLICAS`, '2'])),
      RABBITMQ_CONTAINER: `${project}-rabbitmq`,
      SHARED_DIRECTORY: shared,
      PUSH_ENDPOINT_ALLOW: 'push-service:8443',
      LOG_LEVEL: 'warn',
    },
    ['docker-compose.cluster.yml'],
  )
  const cluster = openCluster(`${project}-rabbitmq`, [
    ports.MANAGEMENT_PORT,
    ports.MANAGEMENT_PORT_2,
    ports.MANAGEMENT_PORT_3,
  ])

  await fleet.compose('down', '--volumes', '--remove-orphans')
  try {
    await step('building the images', () => fleet.compose('build'))
    await step('bringing the fleet up, three nodes and two of each worker', () =>
      fleet.compose('up', '--detach', '--no-build', '--wait'),
    )
    const amiss = await cluster.untilWhole(0)
    const queues = await cluster.listQueues(first(cluster.nodes))
    print(`three nodes; ${queues.length} queues, each with three members: ${amiss.length === 0 ? 'yes' : 'no'}`)
    if (amiss.length > 0) throw new Error(amiss.join('; '))

    const pool = new pg.Pool({
      connectionString: `postgres://postgres:postgres@127.0.0.1:${ports.POSTGRES_PORT}/mono`,
      max: 1,
    })
    const query = async (/** @type {string} */ sql, /** @type {unknown[]} */ params = []) =>
      (await pool.query(sql, params)).rows
    const pushUrl = `http://127.0.0.1:${ports.PUSH_CONTROL_PORT}`
    await subscribePushUsers(query, pushUrl)
    const messageQueue = createMessageQueue({
      url: [ports.AMQP_PORT, ports.AMQP_PORT_2, ports.AMQP_PORT_3].map(
        (port) => `amqp://publisher:development@127.0.0.1:${port}/mono`,
      ),
      connectionName: 'test-compose-cluster',
    })
    const sources = { query, mailUrl: `http://127.0.0.1:${ports.MAIL_PAGE_PORT}`, pushUrl }
    const traffic = new Traffic(messageQueue, sources, { perSecond })

    /**
     * @param {string} what
     * @param {import('./compose/cluster.mjs').ClusterNode} node
     * @param {{ begin: () => Promise<void>, end: () => Promise<void>, barMs: number }} fault
     */
    const endure = async (what, node, { begin, end, barMs }) => {
      await sleep(beforeMs)
      // A message sent after the fault would wait behind a backlog, whatever the cluster does.
      const behind = await traffic.untilCaughtUp({ ageMs: backlogAgeMs, timeoutMs: doneLimitMs })
      if (behind > 0) throw new Error(`the fleet cannot keep up with --per-second: it is ${behind} messages behind`)
      const other = first(cluster.nodes.filter(({ name }) => name !== node.name))
      const led = (await cluster.countLed(other)).get(node.name)
      print(`${what} ${node.name}, which leads ${led} of ${queueNames.length} work queues`)
      await begin()
      const since = performance.now()
      await sleep(barMs)
      for (const queue of queueNames) {
        const later = traffic.of(queue).filter(({ sentAt }) => sentAt > since)
        const wentOn = Math.min(...later.map(({ doneAt }) => doneAt ?? Number.POSITIVE_INFINITY)) - since
        const went = wentOn <= barMs
        print(`  ${queue.padEnd(20)} ${went ? `went on after ${seconds(wentOn)} s` : 'did not go on'}`)
        check(went, `${what} ${node.name}: ${queue} did not go on within ${seconds(barMs)} s`)
      }
      await end()
      const back = performance.now()
      const rest = await cluster.untilWhole(wholeLimitMs)
      check(rest.length === 0, `${what} ${node.name}: after its return ${rest.join('; ')}`)
      print(`  three nodes and all members online ${seconds(performance.now() - back)} s after its return`)
      const open = await traffic.untilDone(doneLimitMs)
      check(open === 0, `${what} ${node.name}: ${open} messages not done ${seconds(doneLimitMs)} s after its return`)
    }

    const alive = new Set(cluster.nodes)
    while (alive.size > 0) {
      const led = await cluster.countLed(first(cluster.nodes))
      const node = first([...alive].sort((a, b) => (led.get(b.name) ?? 0) - (led.get(a.name) ?? 0)))
      alive.delete(node)
      const kill = { begin: () => cluster.kill(node), end: () => cluster.start(node), barMs: killBarMs }
      await endure('killing', node, kill)
    }
    const led = await cluster.countLed(first(cluster.nodes))
    const leader = first([...cluster.nodes].sort((a, b) => (led.get(b.name) ?? 0) - (led.get(a.name) ?? 0)))
    const freeze = { begin: () => cluster.freeze(leader), end: () => cluster.thaw(leader), barMs: freezeBarMs }
    await endure('freezing', leader, freeze)

    await traffic.stopSending()
    await step('waiting for the last effects', () => traffic.untilDone(doneLimitMs))
    await traffic.stopWatching()
    faults.push(...traffic.faults)
    const retries = [...traffic.retries].map(([code, count]) => `${count} ${code}`).join(', ')
    print(`sends that were tried again: ${retries || 'none'}`)
    for (const queue of queueNames) {
      const sent = traffic.of(queue)
      const lost = sent.filter(({ effects }) => effects === 0).length
      const twice = sent.reduce((sum, { effects }) => sum + Math.max(0, effects - 1), 0)
      const slowest = Math.max(...sent.map(({ sentAt, doneAt }) => (doneAt ?? Number.POSITIVE_INFINITY) - sentAt))
      print(
        `  ${queue.padEnd(20)} sent ${sent.length}, lost ${lost}, twice ${twice}, the slowest took ${seconds(slowest)} s`,
      )
      check(lost === 0, `${queue}: ${lost} lost`)
      check(twice === 0, `${queue}: ${twice} done twice`)
    }
    for (const { conversation_id, found, last } of await query(`
      SELECT conversation_id, count(*) AS found, max(sequence) AS last FROM chat.messages
      GROUP BY tenant_id, conversation_id HAVING count(*) <> max(sequence)`)) {
      faults.push(`${conversation_id}: ${found} messages, the last is number ${last}`)
    }
    for (const { name, restarts } of await fleet.listWorkers()) {
      check(restarts === 0, `${name} was started again ${restarts} times`)
    }

    const { code, stdout, stderr } = await fleet.tryCompose(
      ...['run', '--rm', '--no-deps', '--env', 'NODE_ENV=production', '--name', `${project}-production`, 'rabbitmq-3'],
    )
    const answer = `${stdout}${stderr}`.trim().split('\n').at(-1) ?? ''
    print(`a node in production: ${answer}`)
    check(
      code !== 0 && answer.includes('expected a secret of your own'),
      'a node takes the cookie of development in production',
    )
    await messageQueue.drain()
    await pool.end()
  } catch (error) {
    print(await fleet.compose('logs', '--tail', '15'))
    throw error
  } finally {
    if (!keep) {
      await step('taking the fleet down', () => fleet.compose('down', '--volumes', '--remove-orphans'))
      await rm(shared, { recursive: true, force: true })
    }
  }
}

/** @template T @param {T[]} list @returns {T} */
function first([item]) {
  if (item === undefined) throw new Error('Expected at least one, found none.')
  return item
}

/** @param {{ perSecond: number, keep: boolean }} options */
async function main(options) {
  const since = performance.now()
  await testCluster(options)
  for (const fault of faults) print(`FAULT ${fault}`)
  const verdict = faults.length === 0 ? 'all as it must be' : `${faults.length} faults`
  print(`${verdict}, in ${Math.round((performance.now() - since) / 1000)} s`)
  process.exitCode = faults.length === 0 ? 0 : 1
}

try {
  const { values } = parseArgs({
    options: {
      'per-second': { type: 'string', default: '10' },
      keep: { type: 'boolean', default: false },
      'if-possible': { type: 'boolean', default: false },
    },
  })
  const perSecond = Number(values['per-second'])
  if (!Number.isInteger(perSecond) || perSecond < 1) {
    throw new Error(`--per-second: expected a positive integer, found ${values['per-second']}`)
  }
  const obstacle = await findObstacle()
  if (obstacle !== undefined && !values['if-possible']) throw new Error(`Expected Docker to be of use: ${obstacle}.`)
  if (obstacle === undefined) await main({ perSecond, keep: values.keep })
  else print(`skipped: ${obstacle}`)
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  say(usage)
  process.exitCode = 1
}

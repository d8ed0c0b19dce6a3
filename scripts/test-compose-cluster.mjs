// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { openCluster } from './compose/cluster.mjs'
import { runFleetTest } from './compose/run-fleet-test.mjs'
import { withTestFleet } from './compose/test-fleet.mjs'
import { step } from './services/progress.mjs'

const usage = `usage: npm run test:compose:cluster [-- --per-second N] [--keep] [--if-possible]

Brings the fleet up with a broker of three nodes under a project of its own, kills each node once and freezes one while
messages flow, counts their effects, and lets a page's client hear them. The exit code is 1 if anything is not as it must be.
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

const overlays = ['docker-compose.cluster.yml']

const seconds = (/** @type {number} */ ms) => (ms / 1000).toFixed(1)

/**
 * @param {number} perSecond to each queue
 * @param {import('./compose/test-fleet.mjs').TestFleet} testFleet
 * @param {import('./compose/run-fleet-test.mjs').Report} report
 */
async function testCluster(perSecond, testFleet, { print, check, blame }) {
  const { project, fleet, ports, sources, atEnd } = testFleet
  // Only here, since they need the dependencies and the build.
  const { createMessageQueue } = await import('@mono/message-queue')
  const { subscribePushUsers } = await import('./compose/effects.mjs')
  const { openListeningPage } = await import('./compose/listening-page.mjs')
  const { Traffic } = await import('./compose/traffic.mjs')
  const { queueNames } = await import('./workers.mjs')

  const cluster = openCluster(`${project}-rabbitmq`, [
    ports.MANAGEMENT_PORT,
    ports.MANAGEMENT_PORT_2,
    ports.MANAGEMENT_PORT_3,
  ])

  await step('bringing the fleet up, three nodes and two of each worker', () => fleet.up())
  const amiss = await cluster.untilWhole(0)
  const queues = await cluster.listQueues(first(cluster.nodes))
  print(`three nodes; ${queues.length} queues, each with three members: ${amiss.length === 0 ? 'yes' : 'no'}`)
  if (amiss.length > 0) throw new Error(amiss.join('; '))

  await subscribePushUsers(sources)
  const messageQueue = createMessageQueue({
    url: [ports.AMQP_PORT, ports.AMQP_PORT_2, ports.AMQP_PORT_3].map(
      (port) => `amqp://publisher:development@127.0.0.1:${port}/mono`,
    ),
    connectionName: 'test-compose-cluster',
  })
  atEnd(() => messageQueue.close())
  const page = await openListeningPage(testFleet)
  atEnd(async () => page.close())
  const traffic = new Traffic(messageQueue, sources, { perSecond })
  atEnd(() => traffic.end())

  /**
   * @param {string} what
   * @param {import('./compose/cluster.mjs').ClusterNode} node
   * @param {{ begin: () => Promise<unknown>, end: () => Promise<unknown>, barMs: number }} fault
   */
  const endure = async (what, node, { begin, end, barMs }) => {
    await sleep(beforeMs)
    // A message sent after the fault would wait behind a backlog, whatever the cluster does.
    const behind = await traffic.untilCaughtUp({ ageMs: backlogAgeMs, timeoutMs: doneLimitMs })
    if (behind > 0) throw new Error(`the fleet cannot keep up with --per-second: it is ${behind} messages behind`)
    const other = first(cluster.nodes.filter(({ name }) => name !== node.name))
    const led = (await cluster.countLed(other)).get(node.name)
    print(`${what} ${node.name}, which leads ${led} of ${queueNames.length} work queues`)
    const begunAt = performance.now()
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
    // It may have lost its node, and found another, before the command that ended that one returned.
    print(`  ${'a page'.padEnd(20)} ${page.describeSince(begunAt)}`)
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
  blame(...traffic.faults)
  const unheard = await page.untilAll(doneLimitMs)
  print(`a page was handed ${page.countHeard()} messages, each once and in order: ${page.faults.length === 0}`)
  check(unheard === undefined, `${unheard}`)
  blame(...page.faults)
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
  for (const { conversation_id, found, last } of await sources.query(`
    SELECT conversation_id, count(*) AS found, max(sequence) AS last FROM chat.messages
    GROUP BY tenant_id, conversation_id HAVING count(*) <> max(sequence)`)) {
    blame(`${conversation_id}: ${found} messages, the last is number ${last}`)
  }
  const early = countStoredEarly(
    await sources.query('SELECT message_id, conversation_id FROM chat.messages ORDER BY sequence'),
    traffic.messages,
  )
  print(`chat messages stored before one that was confirmed before they were sent: ${early}`)
  check(early === 0, `${early} chat messages are out of sequence`)
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
}

/**
 * Left out is what was sent again: an earlier copy may have arrived at any time.
 * @param {{ message_id: string, conversation_id: string }[]} rows in the order of storing
 * @param {ReadonlyMap<string, import('./compose/traffic.mjs').Sent>} messages
 */
function countStoredEarly(rows, messages) {
  /** @type {Map<string, number>} when the last of those stored so far was sent, by conversation */
  const lastSent = new Map()
  let early = 0
  for (const { message_id: id, conversation_id: conversation } of rows) {
    const message = messages.get(id)
    if (message?.tries !== 1) continue
    const last = lastSent.get(conversation) ?? 0
    if (message.confirmedAt !== undefined && message.confirmedAt < last) early += 1
    lastSent.set(conversation, Math.max(last, message.sentAt))
  }
  return early
}

/** @template T @param {T[]} list @returns {T} */
function first([item]) {
  if (item === undefined) throw new Error('Expected at least one, found none.')
  return item
}

await runFleetTest({ usage, option: 'per-second', byDefault: 10, overlays }, ({ count, keep }, report) =>
  withTestFleet({ name: 'cluster', overlays, replicas: 2, keep }, (testFleet) => testCluster(count, testFleet, report)),
)

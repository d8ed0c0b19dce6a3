// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { tryBrowsers } from './compose/browser-attempts.mjs'
import { reportFootprints } from './compose/footprint.mjs'
import { findSilentPanels } from './compose/panels.mjs'
import { reportRefusals } from './compose/refusals.mjs'
import { runFleetTest } from './compose/run-fleet-test.mjs'
import { withTestFleet } from './compose/test-fleet.mjs'
import { step } from './services/progress.mjs'
import { workerNames } from './workers.mjs'

const usage = `usage: npm run test:compose [-- --messages N] [--keep] [--if-possible]

Builds the images, brings the broker up alone and then the whole fleet, with Docker Compose under a project of its own,
sends messages, counts their effects, scales up and down, stops everything under load, starts each worker by itself, has
every user try what it must not do, adds the example application and uses it, takes the mail catcher away, and takes the
fleet down. The exit code is 1 if anything is not as it must be.
  --messages N  to each queue, in each of three rounds; default 500
  --keep        leaves the fleet running
  --if-possible without Docker, or an image, says so and ends with 0`

const settleMs = 120_000
const pollMs = 500

/**
 * @param {number} messages to each queue, in each round
 * @param {import('./compose/test-fleet.mjs').TestFleet} testFleet
 * @param {import('./compose/run-fleet-test.mjs').Report} report
 */
async function testCompose(messages, testFleet, report) {
  // Only here, since they need the dependencies and the build.
  const { createMessageQueue } = await import('@mono/message-queue')
  const { testBrokerAlone } = await import('./compose/broker-alone.mjs')
  const { testExampleApplication } = await import('./compose/example-application.mjs')
  const { findEffectFaults, sendAll, subscribePushUsers } = await import('./compose/effects.mjs')
  const { testMailFailover } = await import('./compose/mail-failover.mjs')

  const { fleet, ports, sources, atEnd } = testFleet
  const { print, check } = report
  const scale = (/** @type {number} */ replicas) =>
    fleet.up(...workerNames.flatMap((name) => ['--scale', `${name}=${replicas}`]))

  await testBrokerAlone(testFleet, report)
  await step('bringing the fleet up, three of each worker', () => fleet.up())

  await subscribePushUsers(sources)
  const messageQueue = createMessageQueue({
    url: `amqp://publisher:development@127.0.0.1:${ports.AMQP_PORT}/mono`,
    connectionName: 'test-compose',
    deadlineMs: 60_000,
  })
  atEnd(() => messageQueue.close())
  // Awaited later: an error until then must not end this process.
  const startSending = (/** @type {{ from: number, to: number }} */ range) => {
    const sent = sendAll(messageQueue, range)
    sent.catch(() => {})
    return { sent }
  }
  const settle = async (/** @type {string} */ what, /** @type {number} */ count) => {
    const found = await step(`${what}: effects of ${count} messages to each queue`, async () => {
      const faults = await findEffectFaults(sources, { count, timeoutMs: settleMs })
      if (faults.length > 0) return faults
      // What is still in a queue, or in flight, might have its effect once more.
      const deadline = performance.now() + settleMs
      while ((await fleet.countMessages()) > 0) {
        if (performance.now() > deadline) return [`${await fleet.countMessages()} messages are still in the queues`]
        await sleep(pollMs)
      }
      return await findEffectFaults(sources, { count, timeoutMs: 0 })
    })
    if (found.length > 0) throw new Error(`${what}: ${found.join('; ')}`)
    print(`${what}: each of ${count} messages to each queue is done, no push or mail twice, no queue holds any`)
  }

  await sendAll(messageQueue, { from: 0, to: messages })
  await settle('three replicas', messages)
  let activeChatWorkers = 0
  for (const container of await fleet.listWorkers()) {
    const acked = await fleet.metric(container, 'mono_deliveries_total', 'outcome="acked"')
    const isActive = (await fleet.metric(container, 'mono_active_consumer')) > 0
    print(`  ${container.name.padEnd(40)} acked ${String(acked).padStart(5)}${isActive ? '' : ', stands by'}`)
    check(acked > 0 === isActive, `${container.name} has acknowledged ${acked}, and is ${isActive ? '' : 'not '}active`)
    if (container.name.includes('chat-worker')) activeChatWorkers += Number(isActive)
    else check(isActive, `${container.name} has done nothing`)
  }
  check(activeChatWorkers === 1, `expected one active chat-worker, found ${activeChatWorkers}`)
  await testPanels(testFleet, report)

  const second = startSending({ from: messages, to: 2 * messages })
  await step('scaling to five under load', () => scale(5))
  await step('scaling to one under load', () => scale(1))
  await second.sent
  await settle('scaled to five and to one', 2 * messages)

  const third = startSending({ from: 2 * messages, to: 3 * messages })
  await step('stopping the workers under load', () => fleet.compose('stop', ...workerNames))
  for (const { name, state, exitCode, restarts } of await fleet.listWorkers()) {
    print(`  ${name.padEnd(40)} ${state}, exit code ${exitCode}`)
    check(state === 'exited' && exitCode === 0, `${name}: expected to exit with 0, found ${state}, ${exitCode}`)
    check(restarts === 0, `${name} was started again ${restarts} times`)
  }
  await third.sent
  await step('bringing the workers up again', () => scale(1))
  await settle('stopped under load and started again', 3 * messages)

  await step('what browsers may do at the broker, and what not', () => tryBrowsers(testFleet, report))
  await reportFootprints(fleet, report)
  await testUsers(testFleet, report, 3 * messages)
  await testExampleApplication(testFleet, report)
  await testMailFailover(testFleet, messageQueue, report)
}

/**
 * @param {import('./compose/test-fleet.mjs').TestFleet} testFleet
 * @param {import('./compose/run-fleet-test.mjs').Report} report
 */
async function testPanels({ ports }, { print, blame }) {
  const { panels, silent } = await step('what the dashboards ask Prometheus for', () =>
    findSilentPanels({
      grafanaUrl: `http://127.0.0.1:${ports.GRAFANA_PORT}`,
      prometheusUrl: `http://127.0.0.1:${ports.PROMETHEUS_PORT}`,
      timeoutMs: settleMs,
    }),
  )
  print(`dashboards: ${panels} panels have data`)
  blame(...silent.map((panel) => `no data: ${panel}`))
}

/**
 * What the users of broker and database may do and may not, and passwords of development in production.
 * @param {import('./compose/test-fleet.mjs').TestFleet} testFleet
 * @param {import('./compose/run-fleet-test.mjs').Report} report
 * @param {number} index how many messages were sent to each queue
 */
async function testUsers({ fleet, ports }, report, index) {
  const { useBrokerUsers } = await import('./compose/broker-uses.mjs')
  const { tryBrokerUsers } = await import('./compose/broker-refusals.mjs')
  const { tryDatabaseRoles } = await import('./compose/database-refusals.mjs')
  const brokerUrlOf = (/** @type {string} */ user) => `amqp://${user}:development@127.0.0.1:${ports.AMQP_PORT}/mono`
  const databaseUrlOf = (/** @type {string} */ role) =>
    `postgres://${role}:development@127.0.0.1:${ports.POSTGRES_PORT}/mono`
  const adminUrl = `amqp://admin:admin123@127.0.0.1:${ports.AMQP_PORT}/mono`
  await useBrokerUsers({ adminUrl, urlOf: brokerUrlOf, index }, report)
  reportRefusals('users of the broker', await tryBrokerUsers(brokerUrlOf), report)
  reportRefusals('roles of the database', await tryDatabaseRoles(databaseUrlOf), report)

  const own = 'expected a password of your own'
  const refusals = {
    'rabbitmq-setup': own,
    'postgres-setup': own,
    grafana: own,
    rabbitmq: 'expected the public RSA key',
  }
  for (const [service, refusal] of Object.entries(refusals)) {
    const { code, stderr, stdout } = await fleet.tryCompose(
      ...['run', '--rm', '--no-deps', '--env', 'NODE_ENV=production', service],
    )
    const answer = `${stdout}${stderr}`.trim().split('\n').at(-1) ?? ''
    report.print(`${service} in production: ${answer}`)
    report.check(code !== 0 && answer.includes(refusal), `${service} takes what is of development in production`)
  }
}

const overlays = ['docker-compose.mailgun.yml']
// The log says when a worker began to consume. The effects of mails are looked for at the mail catcher.
const variables = () => ({ LOG_LEVEL: 'info', EMAIL_PROVIDERS: 'smtp' })
await runFleetTest({ usage, option: 'messages', byDefault: 500, overlays }, ({ count, keep }, report) =>
  withTestFleet({ name: 'test', overlays, replicas: 3, variables, keep }, (testFleet) =>
    testCompose(count, testFleet, report),
  ),
)

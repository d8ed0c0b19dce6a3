// @ts-check
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import { findObstacle, openFleet, workerNames } from './compose/fleet.mjs'
import { buildPackages, installDependencies } from './prepare.mjs'
import { rootDirectory } from './services/paths.mjs'
import { choosePorts } from './services/ports.mjs'
import { say, step } from './services/progress.mjs'

const usage = `usage: npm run test:compose [-- --messages N] [--keep] [--if-possible]

Builds the images, brings the whole fleet up with Docker Compose under a project of its own, sends messages, counts their
effects, scales up and down, stops everything under load, and takes it down. The exit code is 1 if anything is not as it
must be.
  --messages N  to each queue, in each of three rounds; default 500
  --keep        leaves the fleet running
  --if-possible without Docker, or an image, says so and ends with 0`

const settleMs = 120_000
const print = (/** @type {string} */ line) => process.stdout.write(`${line}\n`)

/** @type {string[]} */
const faults = []
const check = (/** @type {boolean} */ holds, /** @type {string} */ fault) => {
  if (!holds) faults.push(fault)
}

/** @param {{ messages: number, keep: boolean }} options */
async function testCompose({ messages, keep }) {
  await installDependencies()
  await buildPackages()
  // Only here, since they need the dependencies and the build.
  const { default: pg } = await import('pg')
  const { createMessageQueue } = await import('@mono/message-queue')
  const { findEffectFaults, sendAll, subscribePushUsers } = await import('./compose/effects.mjs')
  const { findSilentPanels } = await import('./compose/panels.mjs')
  const { tryDatabaseRoles } = await import('./compose/database-refusals.mjs')

  const project = `mono-test-${createHash('sha256').update(rootDirectory).digest('hex').slice(0, 10)}`
  const shared = await mkdtemp(join(tmpdir(), 'mono-compose-'))
  // For the user of a worker's container.
  await chmod(shared, 0o755)
  const ports = await choosePorts(
    {
      AMQP_PORT: undefined,
      MANAGEMENT_PORT: undefined,
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
  const fleet = openFleet(project, {
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
    ...Object.fromEntries(workerNames.map((name) => [`${name.toUpperCase().replace('-', '_')}_REPLICAS`, '3'])),
    RABBITMQ_CONTAINER: `${project}-rabbitmq`,
    SHARED_DIRECTORY: shared,
    PUSH_ENDPOINT_ALLOW: 'push-service:8443',
    LOG_LEVEL: 'warn',
  })
  const urlOf = (/** @type {string} */ role, password = 'development') =>
    `postgres://${role}:${password}@127.0.0.1:${ports.POSTGRES_PORT}/mono`
  const pushUrl = `http://127.0.0.1:${ports.PUSH_CONTROL_PORT}`
  const scale = (/** @type {number} */ replicas) =>
    fleet.compose(
      ...['up', '--detach', '--no-build', '--wait'],
      ...workerNames.flatMap((name) => ['--scale', `${name}=${replicas}`]),
    )

  await fleet.compose('down', '--volumes', '--remove-orphans')
  try {
    await step('building the images', () => fleet.compose('build'))
    await step('bringing the fleet up, three of each worker', () => scale(3))

    const pool = new pg.Pool({ connectionString: urlOf('postgres', 'postgres'), max: 1 })
    const query = async (/** @type {string} */ sql, /** @type {unknown[]} */ params = []) =>
      (await pool.query(sql, params)).rows
    await subscribePushUsers(query, pushUrl)
    const messageQueue = createMessageQueue({
      url: `amqp://publisher:development@127.0.0.1:${ports.AMQP_PORT}/mono`,
      connectionName: 'test-compose',
      deadlineMs: 60_000,
    })
    const sources = { query, mailUrl: `http://127.0.0.1:${ports.MAIL_PAGE_PORT}`, pushUrl }
    const settle = async (/** @type {string} */ what, /** @type {number} */ count) => {
      const found = await step(`${what}: effects of ${count} messages to each queue`, () =>
        findEffectFaults(sources, { count, timeoutMs: settleMs }),
      )
      if (found.length > 0) throw new Error(`${what}: ${found.join('; ')}`)
      print(`${what}: each of ${count} messages to each queue has its effect once`)
    }

    await sendAll(messageQueue, { from: 0, to: messages })
    await settle('three replicas', messages)
    for (const container of await fleet.listWorkers()) {
      const acked = await fleet.metric(container, 'mono_deliveries_total', 'outcome="acked"')
      const resident = (await fleet.metric(container, 'process_resident_memory_bytes')) / 2 ** 20
      print(
        `  ${container.name.padEnd(40)} acked ${String(acked).padStart(5)}${resident ? `, ${Math.round(resident)} MB` : ''}`,
      )
      check(acked > 0, `${container.name} has done nothing`)
    }

    const { panels, silent } = await step('what the dashboards ask Prometheus for', () =>
      findSilentPanels({
        grafanaUrl: `http://127.0.0.1:${ports.GRAFANA_PORT}`,
        prometheusUrl: `http://127.0.0.1:${ports.PROMETHEUS_PORT}`,
        timeoutMs: settleMs,
      }),
    )
    print(`dashboards: ${panels} panels have data`)
    for (const panel of silent) faults.push(`no data: ${panel}`)

    const second = sendAll(messageQueue, { from: messages, to: 2 * messages })
    await step('scaling to five under load', () => scale(5))
    await step('scaling to one under load', () => scale(1))
    await second
    await settle('scaled to five and to one', 2 * messages)

    const third = sendAll(messageQueue, { from: 2 * messages, to: 3 * messages })
    await step('stopping the workers under load', () => fleet.compose('stop', ...workerNames))
    for (const { name, state, exitCode, restarts } of await fleet.listWorkers()) {
      print(`  ${name.padEnd(40)} ${state}, exit code ${exitCode}`)
      check(state === 'exited' && exitCode === 0, `${name}: expected to exit with 0, found ${state}, ${exitCode}`)
      check(restarts === 0, `${name} was started again ${restarts} times`)
    }
    await third
    await step('bringing the workers up again', () => scale(1))
    await settle('stopped under load and started again', 3 * messages)

    const roles = await tryDatabaseRoles(urlOf)
    print(`database roles: ${roles.refused.length} attempts refused`)
    for (const attempt of roles.done) faults.push(`not refused: ${attempt}`)

    for (const setup of ['rabbitmq-setup', 'postgres-setup']) {
      const { code, stderr, stdout } = await fleet.tryCompose(
        'run',
        '--rm',
        '--no-deps',
        '--env',
        'NODE_ENV=production',
        setup,
      )
      const answer = `${stdout}${stderr}`.trim().split('\n').at(-1) ?? ''
      print(`${setup} in production: ${answer}`)
      check(
        code !== 0 && answer.includes('expected a password of your own'),
        `${setup} takes development passwords in production`,
      )
    }
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

/** @param {{ messages: number, keep: boolean }} options */
async function main(options) {
  const since = performance.now()
  await testCompose(options)
  for (const fault of faults) print(`FAULT ${fault}`)
  const verdict = faults.length === 0 ? 'all as it must be' : `${faults.length} faults`
  print(`${verdict}, in ${Math.round((performance.now() - since) / 1000)} s`)
  process.exitCode = faults.length === 0 ? 0 : 1
}

try {
  const { values } = parseArgs({
    options: {
      messages: { type: 'string', default: '500' },
      keep: { type: 'boolean', default: false },
      'if-possible': { type: 'boolean', default: false },
    },
  })
  const messages = Number(values.messages)
  if (!Number.isInteger(messages) || messages < 1) {
    throw new Error(`--messages: expected a positive integer, found ${values.messages}`)
  }
  const obstacle = await findObstacle()
  if (obstacle !== undefined && !values['if-possible']) throw new Error(`Expected Docker to be of use: ${obstacle}.`)
  if (obstacle === undefined) await main({ messages, keep: values.keep })
  else print(`skipped: ${obstacle}`)
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error))
  say(usage)
  process.exitCode = 1
}

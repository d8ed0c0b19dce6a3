// @ts-check
import { createHash } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { listBelongings } from '../services/compose-project.mjs'
import { rootDirectory } from '../services/paths.mjs'
import { choosePorts } from '../services/ports.mjs'
import { step } from '../services/progress.mjs'
import { workerNames } from '../workers.mjs'
import { openFleet } from './fleet.mjs'

/** Host ports of docker-compose.yml, its overlays and compose.test.yml; an overlay may leave some unused. */
const portNames = /** @type {const} */ ([
  'AMQP_PORT',
  'AMQP_PORT_2',
  'AMQP_PORT_3',
  'AMQPS_PORT',
  'MANAGEMENT_PORT',
  'MANAGEMENT_PORT_2',
  'MANAGEMENT_PORT_3',
  'MANAGEMENT_TLS_PORT',
  'RABBITMQ_METRICS_PORT',
  'REALTIME_PORT',
  'REALTIME_PORT_2',
  'REALTIME_PORT_3',
  'POSTGRES_PORT',
  'SMTP_PORT',
  'MAIL_PAGE_PORT',
  'MAILGUN_PAGE_PORT',
  'PUSH_CONTROL_PORT',
  'PROMETHEUS_PORT',
  'GRAFANA_PORT',
  'APPLICATION_PORT',
])

/**
 * @typedef {object} TestFleet
 * @property {string} project
 * @property {import('./fleet.mjs').Fleet} fleet nothing of it runs yet
 * @property {(variables: Record<string, string>) => import('./fleet.mjs').Fleet} withVariables the same one, for its next `up`
 * @property {Record<typeof portNames[number], number>} ports
 * @property {string} directory of the test, gone afterwards
 * @property {import('./effects.mjs').Sources} sources
 * @property {(end: () => Promise<unknown>) => void} atEnd called before the fleet goes down, the last one first
 */

/**
 * Gives a test a fleet with a project, ports, images and volumes of its own, and takes it down however the test ends.
 * @param {object} options
 * @param {string} options.name of the test
 * @param {string[]} [options.overlays]
 * @param {number} options.replicas of each worker
 * @param {(directory: string) => Record<string, string>} [options.variables]
 * @param {boolean} options.keep leave it running
 * @param {(testFleet: TestFleet) => Promise<void>} test
 */
export async function withTestFleet({ name, overlays, replicas, variables = () => ({}), keep }, test) {
  const { default: pg } = await import('pg')
  const project = `mono-${name}-${createHash('sha256').update(rootDirectory).digest('hex').slice(0, 10)}`
  const directory = await mkdtemp(join(tmpdir(), 'mono-compose-'))
  // For the user of a worker's container.
  await chmod(directory, 0o755)
  const wanted = /** @type {Record<typeof portNames[number], undefined>} */ (
    Object.fromEntries(portNames.map((port) => [port, undefined]))
  )
  const ports = await choosePorts(wanted, project)
  const common = {
    ...Object.fromEntries(Object.entries(ports).map(([port, number]) => [port, String(number)])),
    ...Object.fromEntries(
      workerNames.map((worker) => [`${worker.toUpperCase().replace('-', '_')}_REPLICAS`, `${replicas}`]),
    ),
    RABBITMQ_CONTAINER: `${project}-rabbitmq`,
    IMAGE_PREFIX: project,
    SHARED_DIRECTORY: directory,
    PUSH_ENDPOINT_ALLOW: 'push-service:8443',
    LOG_LEVEL: 'warn',
    ...variables(directory),
  }
  const withVariables = (/** @type {Record<string, string>} */ changes) =>
    openFleet(project, { ...common, ...changes }, overlays)
  const fleet = withVariables({})
  const pool = new pg.Pool({
    connectionString: `postgres://postgres:postgres@127.0.0.1:${ports.POSTGRES_PORT}/mono`,
    max: 1,
  })
  // A connection that breaks while it is idle; who asks next is told.
  pool.on('error', () => {})

  /** @type {(() => Promise<unknown>)[]} */
  const ends = [() => pool.end()]
  // Without their profile services stay.
  const down = () => withVariables({ COMPOSE_PROFILES: '*' }).compose('down', '--volumes', '--remove-orphans')
  const takeDown = async () => {
    await step('taking the fleet down', down)
    await fleet.removeImages()
    const left = Object.entries(await listBelongings(project)).filter(([, ids]) => ids.length > 0)
    if (left.length > 0) throw new Error(`Expected nothing of the fleet to be left, found ${JSON.stringify(left)}`)
    await rm(directory, { recursive: true, force: true })
  }
  const interrupted = () => void takeDown().finally(() => process.exit(130))
  if (!keep) process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
  try {
    await down()
    await step('building the images', () => fleet.compose('build'))
    await test({
      project,
      fleet,
      withVariables,
      ports,
      directory,
      sources: {
        query: async (sql, params = []) => (await pool.query(sql, params)).rows,
        mailUrl: `http://127.0.0.1:${ports.MAIL_PAGE_PORT}`,
        pushUrl: `http://127.0.0.1:${ports.PUSH_CONTROL_PORT}`,
      },
      atEnd: (end) => void ends.unshift(end),
    })
  } catch (error) {
    process.stdout.write(`${(await fleet.tryCompose('logs', '--tail', '15')).stdout}\n`)
    throw error
  } finally {
    for (const end of ends) await end().catch(() => {})
    if (!keep) await takeDown()
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
  }
}

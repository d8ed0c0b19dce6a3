// @ts-check
import { listBelongings, removeEnded, removeSince, settleProject } from './compose-project.mjs'
import { docker, findEngine, lastLine } from './docker.mjs'
import { probeAmqp } from './probe-amqp.mjs'
import { probePostgres } from './probe-postgres.mjs'
import { step } from './progress.mjs'
import { composeRealtime } from './realtime.mjs'
import { noteStop, readState, updateState } from './state.mjs'
import { readDefinitions } from './topology.mjs'
import { waitUntilReady } from './wait-until-ready.mjs'

/** @typedef {import('./services.mjs').ServiceName} ServiceName */

/** How long images may take to come before the Debian packages are taken instead. */
const pullLimitMs = 30_000

/** How long a failed pull is remembered: where registries are out of reach, not every start should try for so long. */
const retryPullAfterMs = 3_600_000

/** @param {string[]} services */
async function findMissingImages(services) {
  const config = await docker(['compose', 'config', '--images', ...services])
  if (config.code !== 0) throw new Error(`docker compose cannot read docker-compose.yml: ${config.stderr.trim()}`)
  const images = config.stdout.trim().split('\n')
  const missing = []
  for (const image of images) if ((await docker(['image', 'inspect', image])).code !== 0) missing.push(image)
  return missing
}

/**
 * Whether compose can serve here: an engine answers, and the images are there or come within 30 seconds.
 * @param {ServiceName[]} services
 * @returns {Promise<{ usable: boolean, fault?: string }>} `fault`: what keeps a Docker that is installed from serving
 */
export async function findCompose(services) {
  const engine = await findEngine()
  if (!engine.usable) return engine
  const missing = await findMissingImages(services)
  if (missing.length === 0) return engine
  const names = missing.join(' and ')
  const { failedPull } = readState()
  if (failedPull?.images === missing.join(' ') && Date.now() - failedPull.at < retryPullAfterMs) {
    const time = (/** @type {number} */ at) => new Date(at).toTimeString().slice(0, 5)
    const again = time(failedPull.at + retryPullAfterMs)
    return {
      usable: false,
      fault: `Docker could not get ${names} at ${time(failedPull.at)}, and tries again after ${again}`,
    }
  }
  const pulled = await step(`pulling ${names}`, () =>
    docker(['compose', 'pull', '--quiet', ...services], { timeout: pullLimitMs }),
  )
  updateState({ failedPull: pulled.code === 0 ? undefined : { images: missing.join(' '), at: Date.now() } })
  if (pulled.code === 0) return engine
  const reason = pulled.code === -1 ? `not within ${pullLimitMs / 1000} s` : lastLine(pulled)
  return { usable: false, fault: `Docker cannot get ${names} (${reason})` }
}

/**
 * @typedef {object} ComposeServices
 * @property {Partial<import('./services.mjs').Urls>} urls
 * @property {ServiceName[]} started
 * @property {import('./compose-project.mjs').Belongings} before what the engine had of the project before the start
 */

/**
 * Starts the services that do not run yet, on the default ports where those are free.
 * @param {ServiceName[]} services
 * @returns {Promise<ComposeServices>}
 */
export async function startCompose(services) {
  const { name, running, variables } = await settleProject(services)
  const started = services.filter((service) => !running.has(service))
  // A broker that cannot read it would be waited for in vain.
  if (started.includes('rabbitmq')) readDefinitions()
  const before = await listBelongings(name)
  try {
    if (started.length > 0) await up(started, variables)
    const urls = toUrls(services, variables)
    // Also those that somebody has only just started.
    const fault = await step('waiting for broker and database', () =>
      waitUntilReady(() => probe(urls), { timeoutMs: 60_000, intervalMs: 200 }),
    )
    if (fault !== undefined) throw new Error(`the containers run, but cannot be used: ${fault}`)
    if (services.includes('rabbitmq')) urls.realtime = await composeRealtime(variables)
    return { urls, started, before }
  } catch (error) {
    if (started.length > 0) {
      await stopCompose(started).catch(() => {}) // the reason why it could not start says more
      await removeSince(name, before)
    }
    throw error
  }
}

/**
 * @param {ServiceName[]} services
 * @param {Record<string, string | undefined>} variables
 */
async function up(services, variables) {
  const names = services.join(' and ')
  const result = await step(`starting ${names} with Docker Compose`, () =>
    docker(['compose', 'up', '--detach', '--wait', '--no-deps', '--no-build', ...services], {
      env: variables,
      timeout: 180_000,
    }),
  )
  if (result.code === 0) return
  const reason = result.code === -1 ? 'not ready within 180 s' : lastLine(result)
  throw new Error(`Docker Compose could not start ${names}: ${reason}.${await readLogEnd(services, variables)}`)
}

/**
 * What containers said last.
 * @param {string[]} services
 * @param {Record<string, string | undefined>} variables
 */
async function readLogEnd(services, variables) {
  const logs = await docker(['compose', 'logs', '--no-color', '--tail', '8', ...services], { env: variables })
  const lines = logs.stdout.trim()
  return lines ? `\n  ${lines.split('\n').join('\n  ')}` : ''
}

/** @param {Partial<import('./services.mjs').Urls>} urls */
async function probe({ rabbitmqUrl, databaseUrl }) {
  const broker = rabbitmqUrl && (await probeAmqp(rabbitmqUrl))
  const database = databaseUrl && (await probePostgres(databaseUrl))
  return broker || database || undefined
}

/**
 * @param {ServiceName[]} services
 * @param {Record<string, string | undefined>} variables
 */
function toUrls(services, variables) {
  /** @type {Partial<import('./services.mjs').Urls>} */
  const urls = {}
  const login = (/** @type {string} */ prefix) =>
    [variables[`${prefix}_USER`], variables[`${prefix}_PASSWORD`]]
      .map((part) => encodeURIComponent(part ?? ''))
      .join(':')
  if (services.includes('rabbitmq')) {
    urls.rabbitmqUrl = `amqp://${login('RABBITMQ')}@127.0.0.1:${variables.AMQP_PORT}/mono`
    urls.managementUrl = `http://127.0.0.1:${variables.MANAGEMENT_PORT}`
  }
  if (services.includes('postgres')) {
    urls.databaseUrl = `postgres://${login('POSTGRES')}@127.0.0.1:${variables.POSTGRES_PORT}/mono`
  }
  return urls
}

/**
 * Stops services; their data stays in the named volumes.
 * @param {string[]} services
 * @param {import('./compose-project.mjs').Belongings} [before] containers that were made since are removed, if given
 */
export async function stopCompose(services, before) {
  const project = readState().composeProject ?? 'mono'
  const stop = await docker(['compose', '--project-name', project, 'stop', ...services], { timeout: 60_000 })
  if (stop.code !== 0) throw new Error(`docker compose could not stop ${services.join(' and ')}: ${stop.stderr.trim()}`)
  if (before) await removeEnded(project, before)
  const left = (readState().composeServices ?? []).filter((service) => !services.includes(service))
  noteStop(() => updateState({ composeServices: left.length > 0 ? left : undefined }))
}

// @ts-check
import { environment } from '../environment.mjs'
import { instanceName, rootDirectory } from './paths.mjs'
import { choosePorts } from './ports.mjs'
import { probeAmqp } from './probe-amqp.mjs'
import { probePostgres } from './probe-postgres.mjs'
import { run } from './processes.mjs'
import { say, step } from './progress.mjs'
import { readState, updateState } from './state.mjs'
import { waitUntilReady } from './wait-until-ready.mjs'

/** @typedef {import('./services.mjs').ServiceName} ServiceName */

/** How long images may take to come before the Debian packages are taken instead. */
const pullLimitMs = 30_000

/** How long a failed pull is remembered: where registries are out of reach, not every start should try for so long. */
const retryPullAfterMs = 3_600_000

/** The variables of docker-compose.yml for host ports; their defaults are the ports within the containers. */
const portDefaults = {
  rabbitmq: { AMQP_PORT: 5672, MANAGEMENT_PORT: 15672, RABBITMQ_METRICS_PORT: 15692 },
  postgres: { POSTGRES_PORT: 5432 },
}

/** Everything the compose file would interpolate is settled by us, but what the caller has set stays. */
const credentials = {
  RABBITMQ_USER: 'admin',
  RABBITMQ_PASSWORD: 'admin123',
  POSTGRES_USER: 'postgres',
  POSTGRES_PASSWORD: 'postgres',
}

const docker = (
  /** @type {string[]} */ args,
  /** @type {import('node:child_process').ExecFileOptions} */ options = {},
) => run('docker', args, { cwd: rootDirectory, ...options })

/**
 * One compose project is one clone's: another clone's containers bear the same names, unless this one takes its own.
 * @returns {Promise<Record<string, string>>}
 */
async function chooseProject() {
  const label = (/** @type {string} */ name) => `{{index .Config.Labels "com.docker.compose.project${name}"}}`
  const listed = await docker(['ps', '-aq', '--filter', 'label=com.docker.compose.project=mono'])
  const named = await docker(['ps', '-aq', '--filter', 'name=^/mono-rabbitmq$'])
  const ids = [...new Set(`${listed.stdout} ${named.stdout}`.split(/\s+/).filter(Boolean))]
  if (ids.length === 0) return {}
  const owners = await docker(['inspect', '-f', label('.working_dir'), ...ids])
  if (
    owners.stdout
      .trim()
      .split('\n')
      .every((owner) => owner === rootDirectory)
  )
    return {}
  return { COMPOSE_PROJECT_NAME: instanceName, RABBITMQ_CONTAINER: `${instanceName}-rabbitmq` }
}

/** @param {ServiceName[]} services */
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
 * @returns {Promise<boolean>}
 */
export async function canCompose(services) {
  const engine = await docker(['info', '--format', '{{.ServerVersion}}'], { timeout: 5000 })
  if (engine.code !== 0 || !/\d/.test(engine.stdout)) return false
  if ((await docker(['compose', 'version'], { timeout: 5000 })).code !== 0) {
    say('Docker answers, but has no compose plugin: using Debian packages instead')
    return false
  }
  const missing = await findMissingImages(services)
  if (missing.length === 0) return true
  const wanted = missing.join(' ')
  const { failedPull } = readState()
  if (failedPull?.images === wanted && Date.now() - failedPull.at < retryPullAfterMs) return false
  const pulled = await step(`pulling ${missing.join(' and ')}`, () =>
    docker(['compose', 'pull', '--quiet', ...services], { timeout: pullLimitMs }),
  )
  updateState({ failedPull: pulled.code === 0 ? undefined : { images: wanted, at: Date.now() } })
  if (pulled.code === 0) return true
  const reason = pulled.code === -1 ? `not within ${pullLimitMs / 1000} s` : pulled.stderr.trim().split('\n').at(-1)
  say(`Docker answers, but cannot get ${missing.join(' and ')} (${reason}): using Debian packages instead`)
  return false
}

/**
 * Starts the services that do not run yet, on the default ports where those are free.
 * @param {ServiceName[]} services
 * @returns {Promise<{ urls: Partial<import('./services.mjs').Urls>, started: ServiceName[] }>}
 */
export async function startCompose(services) {
  const project = await chooseProject()
  const base = { ...environment, ...project }
  const ps = await docker(['compose', 'ps', '--status', 'running', '--services'], { env: base })
  const running = new Set(ps.stdout.trim().split('\n'))
  const started = services.filter((service) => !running.has(service))
  const kept = readState().composePorts ?? {}
  /** @type {Record<string, number>} */
  const published = {}
  /** @type {Record<string, number>} */
  const wanted = {}
  for (const service of services) {
    if (running.has(service)) Object.assign(published, await readPublishedPorts(service, base))
    else {
      for (const [name, port] of Object.entries(portDefaults[service])) {
        wanted[name] = Number(environment[name] ?? kept[name] ?? port)
      }
    }
  }
  const ports = { ...published, ...(await choosePorts(wanted, instanceName)) }
  updateState({ composePorts: { ...kept, ...ports }, composeProject: project.COMPOSE_PROJECT_NAME ?? 'mono' })
  const variables = {
    ...credentials,
    ...base,
    ...Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)])),
  }
  if (started.length > 0) {
    const up = await step(`starting ${started.join(' and ')} with Docker Compose`, () =>
      docker(['compose', 'up', '--detach', '--wait', '--no-deps', '--no-build', ...started], {
        env: variables,
        timeout: 180_000,
      }),
    )
    if (up.code !== 0) {
      await stopCompose(started)
      throw new Error(`docker compose could not start ${started.join(' and ')}:\n${up.stderr.trim()}`)
    }
  }
  const urls = toUrls(services, variables)
  // Also those that somebody has only just started.
  const fault = await step('waiting for broker and database', () =>
    waitUntilReady(() => probe(urls), { timeoutMs: 60_000, intervalMs: 200 }),
  )
  if (fault !== undefined) throw new Error(`the containers run, but cannot be used: ${fault}`)
  return { urls, started }
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
 * @param {ServiceName} service
 * @param {NodeJS.ProcessEnv} env
 */
async function readPublishedPorts(service, env) {
  /** @type {Record<string, number>} */
  const ports = {}
  for (const [name, port] of Object.entries(portDefaults[service])) {
    const answer = await docker(['compose', 'port', service, String(port)], { env })
    ports[name] = Number(answer.stdout.trim().split(':').at(-1)) || port
  }
  return ports
}

/**
 * Stops services; their data stays in the named volumes.
 * @param {string[]} services
 */
export async function stopCompose(services) {
  const project = readState().composeProject ?? 'mono'
  const stop = await docker(['compose', '--project-name', project, 'stop', ...services], { timeout: 60_000 })
  if (stop.code !== 0) throw new Error(`docker compose could not stop ${services.join(' and ')}: ${stop.stderr.trim()}`)
  const left = (readState().composeServices ?? []).filter((service) => !services.includes(service))
  updateState({ composeServices: left.length > 0 ? left : undefined })
}

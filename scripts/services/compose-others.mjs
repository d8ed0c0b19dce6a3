// @ts-check
import { setTimeout as delay } from 'node:timers/promises'
import { listBelongings, removeSince, settleProject } from './compose-project.mjs'
import { docker, lastLine } from './docker.mjs'
import { step } from './progress.mjs'
import { readState, updateState } from './state.mjs'

const pullLimitMs = 180_000
const setUpLimitMs = 120_000
const healthLimitMs = 60_000

/** Set up a server and end. */
const setUps = { rabbitmq: 'rabbitmq-setup', postgres: 'postgres-setup' }

/** Serve whoever develops; nothing else needs them. */
const helpers = ['mail-catcher', 'prometheus', 'grafana']

/**
 * @typedef {object} Others
 * @property {string[]} running
 * @property {{ service: string, reason: string }[]} missing
 * @property {(variable: string) => number | undefined} portOf
 * @property {Record<string, Record<string, string>>} environments of each service, as compose reads them
 */

/**
 * Starts everything else of docker-compose.yml but the workers: sets up the servers that run there, and starts what
 * serves development. A helper that is not to be had is missing, and keeps nothing else from starting.
 * @param {('rabbitmq' | 'postgres')[]} servers those that run with Docker Compose
 * @returns {Promise<Others>}
 * @throws Error if a server could not be set up
 */
export async function startOthers(servers) {
  const wanted = [...servers.map((server) => setUps[server]), ...helpers]
  const { name, variables } = await settleProject([...servers, ...helpers])
  const config = await readConfig(wanted, variables)
  const missing = await pullMissing(wanted, config)
  const available = wanted.filter((service) => !missing.some((each) => each.service === service))
  const before = await listBelongings(name)
  try {
    await setUp(
      available.filter((service) => !helpers.includes(service)),
      variables,
    )
  } catch (error) {
    await removeSince(name, before)
    throw error
  }
  const running = await startHelpers(
    available.filter((service) => helpers.includes(service)),
    { name, variables, missing },
  )
  updateState({ composeServices: [...new Set([...(readState().composeServices ?? []), ...available])] })
  const environments = Object.fromEntries(available.map((service) => [service, config[service]?.environment ?? {}]))
  return { running, missing, environments, portOf: (variable) => Number(variables[variable]) || undefined }
}

/** @typedef {Record<string, { image: string, environment?: Record<string, string> }>} Config */

/**
 * @param {string[]} services
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<Config>} with what they depend on
 */
async function readConfig(services, env) {
  const config = await docker(['compose', 'config', '--format', 'json', ...services], { env })
  if (config.code !== 0) throw new Error(`docker compose cannot read docker-compose.yml: ${lastLine(config)}`)
  return JSON.parse(config.stdout).services
}

/**
 * @param {string[]} services
 * @param {Config} config
 * @returns {Promise<Others['missing']>} those whose images are not here and cannot be had
 */
async function pullMissing(services, config) {
  const missing = []
  for (const service of services) {
    const image = config[service]?.image ?? ''
    if ((await docker(['image', 'inspect', image])).code === 0) continue
    const pulled = await step(`pulling ${image}`, () => docker(['pull', '--quiet', image], { timeout: pullLimitMs }))
    if (pulled.code === 0) continue
    const reason = pulled.code === -1 ? `not within ${pullLimitMs / 1000} s` : lastLine(pulled)
    missing.push({ service, reason: `its image ${image} cannot be had: ${reason}` })
  }
  return missing
}

const upFlags = ['--detach', '--no-deps', '--no-build']

/**
 * Runs what sets up the servers, to its end.
 * @param {string[]} services
 * @param {Record<string, string | undefined>} env
 */
async function setUp(services, env) {
  if (services.length === 0) return
  await step('setting up broker and database', async () => {
    const up = await docker(['compose', 'up', ...upFlags, ...services], { env, timeout: setUpLimitMs })
    if (up.code !== 0) throw new Error(`Docker Compose could not start ${services.join(' and ')}: ${lastLine(up)}`)
    const deadline = performance.now() + setUpLimitMs
    for (const service of services) {
      const fault = await untilEnded(service, env, deadline)
      if (fault === undefined) continue
      const logs = await docker(['compose', 'logs', '--no-color', '--no-log-prefix', '--tail', '1', service], { env })
      throw new Error(`${service} of docker-compose.yml failed (${fault}): ${logs.stdout.trim()}`)
    }
  })
}

/**
 * @param {string} service
 * @param {Record<string, string | undefined>} env
 * @param {number} deadline
 * @returns {Promise<string | undefined>} undefined: it ended with 0
 */
async function untilEnded(service, env, deadline) {
  for (;;) {
    const ps = await docker(['compose', 'ps', '--all', '--format', '{{.State}} {{.ExitCode}}', service], { env })
    const [state, code] = ps.stdout.trim().split(' ')
    if (state === 'exited') return code === '0' ? undefined : `code ${code}`
    if (performance.now() > deadline) return `not done within ${setUpLimitMs / 1000} s`
    await delay(200)
  }
}

/**
 * Starts helpers, all at once; where that fails, one after the other, so that the rest runs.
 * @param {string[]} services
 * @param {{ name: string, variables: Record<string, string | undefined>, missing: Others['missing'] }} options
 * @returns {Promise<string[]>} those that run
 */
async function startHelpers(services, { name, variables: env, missing }) {
  if (services.length === 0) return []
  return await step(`starting ${services.join(', ')}`, async () => {
    const up = (/** @type {string[]} */ ...some) =>
      docker(['compose', 'up', ...upFlags, ...some], { env, timeout: 60_000 })
    const together = (await up(...services)).code === 0
    const running = []
    for (const service of services) {
      const before = await listBelongings(name)
      const alone = together ? undefined : await up(service)
      const fault = alone && alone.code !== 0 ? lastLine(alone) : await untilHealthy(service, env)
      if (fault === undefined) running.push(service)
      else {
        missing.push({ service, reason: fault })
        await docker(['compose', 'rm', '--stop', '--force', service], { env })
        await removeSince(name, before)
      }
    }
    return running
  })
}

/**
 * @param {string} service
 * @param {Record<string, string | undefined>} env
 * @returns {Promise<string | undefined>} undefined: it runs, and has not been found ill
 */
async function untilHealthy(service, env) {
  const deadline = performance.now() + healthLimitMs
  for (;;) {
    const ps = await docker(['compose', 'ps', '--all', '--format', '{{.State}} {{.Health}}', service], { env })
    const [state = '', health = ''] = ps.stdout.trim().split(' ')
    if (state === 'running' && (health === '' || health === 'healthy')) return undefined
    if (!['running', 'created'].includes(state) || performance.now() > deadline) {
      const logs = await docker(['compose', 'logs', '--no-color', '--no-log-prefix', '--tail', '1', service], { env })
      return `it is ${[state, health].join(' ').trim()}, and says: ${logs.stdout.trim() || 'nothing'}`
    }
    await delay(200)
  }
}

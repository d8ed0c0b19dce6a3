// @ts-check
import { composeEnvironment } from './compose-environment.mjs'
import { docker } from './docker.mjs'
import { instanceName, rootDirectory } from './paths.mjs'
import { portVariablesOf, readDemandedPort } from './port-variables.mjs'
import { choosePorts } from './ports.mjs'
import { readState, updateState } from './state.mjs'

/** Everything the compose file would interpolate is settled by us, but what the caller has set stays. */
const credentials = {
  RABBITMQ_USER: 'admin',
  RABBITMQ_PASSWORD: 'admin123',
  POSTGRES_USER: 'postgres',
  POSTGRES_PASSWORD: 'postgres',
}

/**
 * One compose project is one clone's: another clone's containers bear the same names, unless this one takes its own.
 * @returns {Promise<Record<string, string>>}
 */
async function chooseProject() {
  if (composeEnvironment.COMPOSE_PROJECT_NAME) return { COMPOSE_PROJECT_NAME: composeEnvironment.COMPOSE_PROJECT_NAME }
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

/**
 * This clone's compose project as it is, and the variables to call compose with. What runs keeps its ports, the rest gets
 * those that are demanded, else those of last time, else the usual ones, else others.
 * @typedef {object} Project
 * @property {string} name
 * @property {Record<string, string | undefined>} variables
 * @property {Set<string>} running
 */

/**
 * @param {string[]} services whose ports are to be settled
 * @returns {Promise<Project>}
 */
export async function settleProject(services) {
  const chosen = await chooseProject()
  const name = chosen.COMPOSE_PROJECT_NAME ?? 'mono'
  const env = { ...composeEnvironment, ...chosen }
  const ps = await docker(['compose', 'ps', '--status', 'running', '--services'], { env })
  const running = new Set(ps.stdout.trim().split('\n').filter(Boolean))
  const kept = readState().composePorts ?? {}
  /** @type {Record<string, number>} */
  const fixed = {}
  /** @type {Record<string, number>} */
  const wanted = {}
  for (const service of services) {
    for (const { variable, usual, inner } of portVariablesOf(service)) {
      if (running.has(service)) {
        const answer = await docker(['compose', 'port', service, String(inner)], { env })
        fixed[variable] = Number(answer.stdout.trim().split(':').at(-1)) || usual
      } else {
        const demanded = await readDemandedPort(variable)
        if (demanded === undefined) wanted[variable] = kept[variable] ?? usual
        else fixed[variable] = demanded
      }
    }
  }
  const ports = { ...kept, ...fixed, ...(await choosePorts(wanted, instanceName)) }
  updateState({ composePorts: ports, composeProject: name })
  const texts = Object.fromEntries(Object.entries(ports).map(([variable, port]) => [variable, String(port)]))
  return { name, running, variables: { ...credentials, ...env, ...texts } }
}

/**
 * @typedef {Record<'container' | 'volume' | 'network', string[]>} Belongings
 */

/**
 * What the engine has of a project.
 * @param {string} project
 * @returns {Promise<Belongings>}
 */
export async function listBelongings(project) {
  const list = async (/** @type {string[]} */ ...command) => {
    const { code, stdout, stderr } = await docker([
      ...command,
      '--filter',
      `label=com.docker.compose.project=${project}`,
    ])
    if (code !== 0) throw new Error(`docker ${command.join(' ')} failed: ${stderr.trim()}`)
    return stdout.split(/\s+/).filter(Boolean)
  }
  return {
    container: await list('ps', '--all', '--quiet'),
    volume: await list('volume', 'ls', '--quiet'),
    network: await list('network', 'ls', '--quiet'),
  }
}

/**
 * Removes what a project has got since.
 * @param {string} project
 * @param {Belongings} before
 */
export async function removeSince(project, before) {
  const now = await listBelongings(project)
  const isNew = (/** @type {keyof Belongings} */ kind) => now[kind].filter((id) => !before[kind].includes(id))
  const containers = isNew('container')
  if (containers.length > 0) await docker(['rm', '--force', ...containers])
  for (const kind of /** @type {const} */ (['volume', 'network'])) {
    for (const id of isNew(kind)) await docker([kind, 'rm', id])
  }
}

/**
 * Removes containers that a project has got since and that have ended, and with its last container its networks: an
 * engine has addresses for some thirty. The data stays in the named volumes.
 * @param {string} project
 * @param {Belongings} before
 */
export async function removeEnded(project, before) {
  const isNew = (/** @type {string} */ id) => !before.container.includes(id)
  const made = (await listBelongings(project)).container.filter(isNew)
  // Without --force: one that runs is somebody else's by now. The volumes are those without a name.
  if (made.length > 0) await docker(['rm', '--volumes', ...made])
  const left = await listBelongings(project)
  if (left.container.length === 0 && left.network.length > 0) await docker(['network', 'rm', ...left.network])
}

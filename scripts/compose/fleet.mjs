// @ts-check
import { environment } from '../environment.mjs'
import { rootDirectory } from '../services/paths.mjs'
import { run } from '../services/processes.mjs'
import { workerNames } from '../workers.mjs'
import { docker } from './docker.mjs'

/** How long one image may take to come. */
const pullLimitMs = 120_000
/** A service that starts again and again is never healthy, and never failed either. */
const upLimitSeconds = 300
/** Images are built from nothing. */
const commandLimitMs = 1_200_000

/** Of the machine's environment only what leads to its engine, and the images: no password or server of somebody's own. */
const inherited = /^(PATH|HOME|TMPDIR|(DOCKER|BUILDX|BUILDKIT|XDG)_.*|.*_proxy|.*_IMAGE)$/i
const environmentOfFleet = Object.fromEntries(Object.entries(environment).filter(([name]) => inherited.test(name)))

/** @param {string[]} overlays */
const composeArguments = (overlays) => [
  // Nor the file .env.
  ...['compose', '--env-file', '/dev/null', '--project-directory', '.'],
  ...['docker-compose.yml', ...overlays].flatMap((file) => ['--file', file]),
]

/**
 * Why the fleet cannot be brought up here: no engine answers, or an image cannot be had.
 * @param {string[]} [overlays]
 * @returns {Promise<string | undefined>} undefined: it can
 * @throws {Error} if the compose files are wrong
 */
export async function findObstacle(overlays = []) {
  const engine = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 })
  if (engine.code !== 0 || !/\d/.test(engine.stdout)) return 'no Docker engine answers'
  if ((await run('docker', ['compose', 'version'])).code !== 0) return 'Docker has no compose plugin'
  const config = await run('docker', [...composeArguments(overlays), 'config', '--images'], {
    cwd: rootDirectory,
    env: environmentOfFleet,
  })
  if (config.code !== 0) throw new Error(`Expected compose files that fit, found: ${config.stderr.trim()}`)
  const images = config.stdout.split('\n').filter((image) => image !== '' && !image.startsWith('mono/'))
  for (const image of new Set([...images, 'docker/dockerfile:1'])) {
    if ((await run('docker', ['image', 'inspect', image])).code === 0) continue
    const pulled = await run('docker', ['pull', '--quiet', image], { timeout: pullLimitMs })
    if (pulled.code !== 0) return `the image ${image} cannot be had: ${pulled.stderr.trim().split('\n').at(-1)}`
  }
  return undefined
}

/**
 * A fleet under Docker Compose, with a project, ports and volumes of its own.
 * @typedef {object} Fleet
 * @property {(...args: string[]) => Promise<string>} compose standard output of a command that must succeed
 * @property {(...args: string[]) => ReturnType<typeof run>} tryCompose
 * @property {(...args: string[]) => Promise<string>} up brings up what is not up, and waits for it
 * @property {() => Promise<Container[]>} listWorkers running or not
 * @property {() => Promise<number>} countMessages in all queues, in flight too
 * @property {() => Promise<void>} removeImages those that were built
 * @property {(container: Container, name: string, labels?: string) => Promise<number>} metric sum over its series
 *
 * @typedef {{ id: string, name: string, state: string, exitCode: number, restarts: number }} Container
 */

/**
 * @param {string} project
 * @param {Record<string, string>} variables
 * @param {string[]} overlays compose files over docker-compose.yml
 * @returns {Fleet}
 */
export function openFleet(project, variables, overlays = []) {
  const env = { ...environmentOfFleet, ...variables, COMPOSE_PROJECT_NAME: project }
  const before = composeArguments(['docker/compose.test.yml', ...overlays])
  const tryCompose = (/** @type {string[]} */ ...args) =>
    run('docker', [...before, ...args], { cwd: rootDirectory, env, timeout: commandLimitMs })
  const compose = async (/** @type {string[]} */ ...args) => {
    const { code, stdout, stderr } = await tryCompose(...args)
    if (code !== 0)
      throw new Error(`docker compose ${args.join(' ')} ended with code ${code}:\n${stderr.trim().slice(-4000)}`)
    return stdout
  }
  return {
    compose,
    tryCompose,
    up: (...args) => compose('up', '--detach', '--no-build', '--wait', '--wait-timeout', `${upLimitSeconds}`, ...args),
    async countMessages() {
      const list = ['rabbitmqctl', '--quiet', '--vhost', 'mono', 'list_queues', '--no-table-headers', 'messages']
      const counts = (await compose('exec', '-T', 'rabbitmq', ...list)).trim().split('\n')
      return counts.reduce((sum, count) => sum + Number(count), 0)
    },
    async removeImages() {
      const images = await docker('image', 'ls', '--quiet', '--filter', `reference=${project}/*`)
      await run('docker', ['image', 'rm', ...images.split('\n').filter(Boolean)])
    },
    async listWorkers() {
      const ids = (await compose('ps', '--all', '--quiet', ...workerNames)).split('\n').filter(Boolean)
      return JSON.parse(await docker('inspect', ...ids)).map(
        (/** @type {any} */ { Id, Name, State, RestartCount }) => ({
          id: Id,
          name: Name.slice(1),
          state: State.Status,
          exitCode: State.ExitCode,
          restarts: RestartCount,
        }),
      )
    },
    async metric({ id }, name, labels = '') {
      const read =
        "fetch('http://127.0.0.1:' + process.env.HTTP_PORT + '/metrics').then(async (r) => console.log(await r.text()))"
      return (await docker('exec', id, 'node', '-e', read))
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    },
  }
}

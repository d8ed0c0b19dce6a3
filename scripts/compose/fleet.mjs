// @ts-check
import { environment } from '../environment.mjs'
import { rootDirectory } from '../services/paths.mjs'
import { run } from '../services/processes.mjs'

/** How long one image may take to come. */
const pullLimitMs = 120_000

/**
 * Why the fleet cannot be brought up here: no engine answers, or an image cannot be had.
 * @returns {Promise<string | undefined>} undefined: it can
 */
export async function findObstacle() {
  const engine = await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 10_000 })
  if (engine.code !== 0 || !/\d/.test(engine.stdout)) return 'no Docker engine answers'
  const config = await run('docker', ['compose', 'config', '--images'], { cwd: rootDirectory, env: environment })
  if (config.code !== 0) return `docker compose cannot read docker-compose.yml: ${config.stderr.trim()}`
  const images = config.stdout.split('\n').filter((image) => image !== '' && !image.startsWith('mono/'))
  for (const image of new Set([...images, 'docker/dockerfile:1'])) {
    if ((await run('docker', ['image', 'inspect', image])).code === 0) continue
    const pulled = await run('docker', ['pull', '--quiet', image], { timeout: pullLimitMs })
    if (pulled.code !== 0) return `the image ${image} cannot be had: ${pulled.stderr.trim().split('\n').at(-1)}`
  }
  return undefined
}

export const workerNames = ['chat-worker', 'push-worker', 'email-worker', 'audit-worker']

/**
 * A fleet under Docker Compose, with a project, ports and volumes of its own.
 * @typedef {object} Fleet
 * @property {(...args: string[]) => Promise<string>} compose standard output of a command that must succeed
 * @property {(...args: string[]) => ReturnType<typeof run>} tryCompose
 * @property {() => Promise<Container[]>} listWorkers running or not
 * @property {(container: Container, name: string, labels?: string) => Promise<number>} metric sum over its series
 *
 * @typedef {{ id: string, name: string, worker: string, state: string, exitCode: number, restarts: number, started: Date }} Container
 */

/**
 * @param {string} project
 * @param {Record<string, string>} variables
 * @param {string[]} overlays compose files over docker-compose.yml
 * @returns {Fleet}
 */
export function openFleet(project, variables, overlays = []) {
  const env = { ...environment, ...variables, COMPOSE_PROJECT_NAME: project }
  const files = ['docker-compose.yml', 'docker/compose.test.yml', ...overlays].flatMap((file) => ['--file', file])
  const tryCompose = (/** @type {string[]} */ ...args) =>
    run('docker', ['compose', ...files, '--project-directory', '.', ...args], { cwd: rootDirectory, env })
  const compose = async (/** @type {string[]} */ ...args) => {
    const { code, stdout, stderr } = await tryCompose(...args)
    if (code !== 0)
      throw new Error(`docker compose ${args.join(' ')} ended with code ${code}:\n${stderr.trim().slice(-4000)}`)
    return stdout
  }
  return {
    compose,
    tryCompose,
    async listWorkers() {
      const ids = (await compose('ps', '--all', '--quiet', ...workerNames)).split('\n').filter(Boolean)
      const { stdout } = await run('docker', ['inspect', ...ids])
      return JSON.parse(stdout).map((/** @type {any} */ { Id, Name, Config, State, RestartCount }) => ({
        id: Id,
        name: Name.slice(1),
        worker: Config.Labels['com.docker.compose.service'],
        state: State.Status,
        exitCode: State.ExitCode,
        restarts: RestartCount,
        started: new Date(State.StartedAt),
      }))
    },
    async metric({ id }, name, labels = '') {
      const read =
        "fetch('http://127.0.0.1:' + process.env.HTTP_PORT + '/metrics').then(async (r) => console.log(await r.text()))"
      const { stdout } = await run('docker', ['exec', id, 'node', '-e', read])
      return stdout
        .split('\n')
        .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
    },
  }
}

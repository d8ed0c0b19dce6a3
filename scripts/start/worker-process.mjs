// @ts-check
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { styleText } from 'node:util'
import { environment } from '../environment.mjs'
import { runQuietly } from '../prepare.mjs'
import { rootDirectory } from '../services/paths.mjs'
import { spawnDetached } from '../services/processes.mjs'
import { say } from '../services/progress.mjs'
import { waitUntilReady } from '../services/wait-until-ready.mjs'
import { formatLogLine } from './format-log-line.mjs'

const readyLimitMs = 60_000
/** Longer than a worker's own grace period, after which it exits by itself. */
const stopLimitMs = 45_000

const colours = /** @type {const} */ (['cyan', 'magenta', 'yellow', 'green', 'blue'])

/**
 * @typedef {object} WorkerProcess
 * @property {string} name
 * @property {string} url of its health and metrics server
 * @property {Promise<string>} ended resolves with how, when the process is gone
 * @property {() => Promise<void>} ready
 * @property {() => Promise<void>} stop
 */

/**
 * @param {string} name
 * @param {string} databaseUrl
 */
export async function migrate(name, databaseUrl) {
  const script = join(rootDirectory, 'apps', name, 'dist/migrate.js')
  await runQuietly(process.execPath, [script], { DATABASE_URL: databaseUrl })
}

/** @param {string} url */
async function probeReady(url) {
  try {
    const response = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) })
    if (response.ok) return undefined
    return `/readyz says ${response.status} ${(await response.text()).slice(0, 300)}`
  } catch (error) {
    return `/readyz does not answer (${error instanceof Error ? error.message : error})`
  }
}

/**
 * Starts a worker from its build, and shows its log with its name in front.
 * @param {import('./workers.mjs').WorkerDescription} description
 * @param {{ index: number, httpPort: number, env: NodeJS.ProcessEnv, farEnds: import('./far-ends.mjs').FarEnds }} options
 * @returns {WorkerProcess}
 */
export function startWorker({ name, env: toEnv }, { index, httpPort, env, farEnds }) {
  const prefix = styleText(colours[index % colours.length] ?? 'cyan', name.padEnd(12))
  const child = spawnDetached(process.execPath, [join(rootDirectory, 'apps', name, 'dist/main.js')], {
    cwd: rootDirectory,
    env: { ...environment, ...toEnv?.(farEnds), ...env, HTTP_PORT: String(httpPort) },
    stdio: ['ignore', 'pipe', 'pipe'],
    endWithParent: 'SIGTERM',
  })
  for (const input of [child.stdout, child.stderr]) {
    if (input) createInterface({ input }).on('line', (line) => say(`${prefix} ${formatLogLine(line)}`))
  }
  /** @type {string | undefined} */
  let end
  /** @type {Promise<string>} */
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    // `close` rather than `exit`: the last lines of the log have been read by then.
    child.once('close', (code, signal) => resolve(signal ?? `code ${code}`))
  })
  void ended.then((how) => {
    end = how
  })
  const url = `http://127.0.0.1:${httpPort}`
  return {
    name,
    url,
    ended,
    async ready() {
      const fault = await waitUntilReady(() => probeReady(url), {
        timeoutMs: readyLimitMs,
        ended: () => end && `it ended with ${end}`,
      })
      if (fault !== undefined) throw new Error(`${name} did not become ready: ${fault}`)
    },
    async stop() {
      if (end !== undefined) return
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), stopLimitMs)
      await ended
      clearTimeout(timer)
    },
  }
}

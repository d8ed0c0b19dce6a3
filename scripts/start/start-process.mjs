// @ts-check
import { join } from 'node:path'
import { styleText } from 'node:util'
import { startWorkerProcess } from '@mono/test-support/tools'
import { environment } from '../environment.mjs'
import { rootDirectory } from '../services/paths.mjs'
import { spawnWithParent } from '../services/processes.mjs'
import { say } from '../services/progress.mjs'
import { workerNames } from '../workers.mjs'
import { formatLogLine } from './format-log-line.mjs'

const readyLimitMs = 60_000
/** Longer than a worker's own grace period, after which it exits by itself. */
const stopLimitMs = 45_000

const colours = /** @type {const} */ (['cyan', 'magenta', 'yellow', 'green'])
const applicationColour = 'blue'

/**
 * Starts a worker or the application from its build, and shows its log with its name in front.
 * @param {string} name
 * @param {string} script relative to the root
 * @param {Record<string, string>} env with its HTTP_PORT
 */
export function startProcess(name, script, env) {
  const prefix = styleText(colours[workerNames.indexOf(name)] ?? applicationColour, name.padEnd(12))
  const spawned = startWorkerProcess(
    name,
    join(rootDirectory, script),
    { ...environment, ...env },
    { spawn: spawnWithParent('SIGTERM'), onLine: (line) => say(`${prefix} ${formatLogLine(line)}`) },
  )
  return {
    name,
    url: spawned.httpUrl,
    ended: spawned.exited,
    ready: () => spawned.ready({ timeoutMs: readyLimitMs }),
    async stop() {
      if (spawned.running) await spawned.terminate({ timeoutMs: stopLimitMs }).catch(() => spawned.kill('SIGKILL'))
    },
  }
}

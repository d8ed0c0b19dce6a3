// @ts-check
import { styleText } from 'node:util'
import { spawnWorker } from '@mono/test-support/tools'
import { environment } from '../environment.mjs'
import { spawnWithParent } from '../services/processes.mjs'
import { say } from '../services/progress.mjs'
import { workers } from '../workers.mjs'
import { formatLogLine } from './format-log-line.mjs'

const readyLimitMs = 60_000
/** Longer than a worker's own grace period, after which it exits by itself. */
const stopLimitMs = 45_000

const colours = /** @type {const} */ (['cyan', 'magenta', 'yellow', 'green', 'blue'])

/**
 * Starts a worker from its build, and shows its log with its name in front.
 * @param {import('../workers.mjs').WorkerDescription} worker
 * @param {Record<string, string>} env
 */
export function startWorker(worker, env) {
  const { name } = worker
  const prefix = styleText(colours[workers.indexOf(worker) % colours.length] ?? 'cyan', name.padEnd(12))
  const spawned = spawnWorker(
    name,
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

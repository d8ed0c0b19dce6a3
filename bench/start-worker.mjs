// @ts-check
import { environment } from '../scripts/environment.mjs'
import { startScript } from '../scripts/start-script.mjs'

/** @typedef {{ script: string, env?: NodeJS.ProcessEnv }} WorkerProcess `env`: what it needs beside broker and database */

/**
 * Starts a worker with production's settings.
 * @param {WorkerProcess} worker
 * @param {object} means
 * @param {import('./vhost.mjs').BenchVhost} means.vhost
 * @param {import('./database.mjs').BenchDatabase} means.database
 * @param {AbortSignal} means.signal
 */
export function startWorker({ script, env }, { vhost, database, signal }) {
  const own = { NODE_ENV: 'production', RABBITMQ_URL: vhost.url, DATABASE_URL: database.url, HTTP_PORT: '0' }
  return startScript(script, { env: { ...environment, ...own, ...env }, signal })
}

// @ts-check
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import process from 'node:process'
import { environment } from '../scripts/environment.mjs'
import { rootDirectory } from '../scripts/services/paths.mjs'

/**
 * @typedef {object} Child
 * @property {Promise<string>} ended resolves with the standard output when the process has ended with code 0, or by a
 *   signal of ours; else rejects
 * @property {() => void} stop sends SIGTERM
 */

/**
 * Starts a script of this repository with Node.
 * @param {string} script relative to the root
 * @param {{ args?: (string | number)[], env?: NodeJS.ProcessEnv, signal: AbortSignal }} options
 * @returns {Child}
 */
export function startScript(script, { args = [], env = {}, signal }) {
  const child = spawn(process.execPath, [join(rootDirectory, script), ...args.map(String)], {
    env: { ...environment, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  let stopped = false
  /** @type {Promise<string>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, by) => {
      if (code === 0 || (stopped && by === 'SIGTERM')) return resolve(stdout)
      reject(new Error(`${script} ended with ${by ?? `code ${code}`}:\n${(stdout + stderr).trim().slice(-4000)}`))
    })
  })
  ended.catch(() => {}) // whoever waits for it is told
  const stop = () => {
    stopped = true
    child.kill('SIGTERM')
  }
  return { ended, stop }
}

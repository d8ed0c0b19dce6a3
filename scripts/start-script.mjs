// @ts-check
import { join } from 'node:path'
import process from 'node:process'
import { environment } from './environment.mjs'
import { rootDirectory } from './services/paths.mjs'
import { spawnDetached } from './services/processes.mjs'

/**
 * @typedef {object} Script
 * @property {import('node:child_process').ChildProcess} child
 * @property {Promise<string>} ended resolves with the standard output when the process has ended with code 0, or by our
 *   `stop`; else rejects
 * @property {() => void} stop sends SIGTERM
 */

/**
 * Starts a script of this repository as a process of its own, which ends with this one.
 * @param {string} script relative to the root
 * @param {{ args?: (string | number)[], env?: NodeJS.ProcessEnv, signal?: AbortSignal }} [options]
 * @returns {Script}
 */
export function startScript(script, { args = [], env = environment, signal } = {}) {
  const child = spawnDetached(process.execPath, [join(rootDirectory, script), ...args.map(String)], {
    env,
    stdio: ['pipe', 'pipe', 'pipe'],
    signal,
    endWithParent: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
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
  return { child, ended, stop }
}

// @ts-check
import { join } from 'node:path'
import process from 'node:process'
import { environment } from '../scripts/environment.mjs'
import { rootDirectory } from '../scripts/services/paths.mjs'
import { spawnDetached } from '../scripts/services/processes.mjs'

/**
 * Starts a script of this directory as a process of its own, which ends with this one.
 * @param {string} script
 * @param {...string} args
 */
export function startProcess(script, ...args) {
  const child = spawnDetached(process.execPath, [join(rootDirectory, 'chaos', script), ...args], {
    env: { PATH: environment.PATH },
    stdio: ['pipe', 'pipe', 'pipe'],
    endWithParent: 'SIGKILL',
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  /** @type {Promise<void>} */
  const ended = new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${script} ended with ${signal ?? `code ${code}`}: ${stderr.slice(-2000)}`))
    })
  })
  ended.catch(() => {}) // whoever waits for it is told
  return { child, ended }
}

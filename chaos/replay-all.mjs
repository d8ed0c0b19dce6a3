// @ts-check
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { environment } from '../scripts/environment.mjs'
import { rootDirectory } from '../scripts/services/paths.mjs'
import { spawnDetached } from '../scripts/services/processes.mjs'

/**
 * Replays a whole dead-letter queue in a process of its own, as an operator does.
 * @param {string} url
 * @param {import('./messages.mjs').QueueName} queue
 * @param {{ limitMs: number }} options
 * @returns {Promise<string | undefined>} why the replay is not as it must be
 */
export async function replayAll(url, queue, { limitMs }) {
  const child = spawnDetached(process.execPath, [join(rootDirectory, 'chaos/replay-process.mjs'), url, queue], {
    env: { PATH: environment.PATH },
    stdio: ['ignore', 'ignore', 'pipe'],
    endWithParent: 'SIGKILL',
  })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  if (signal === 'SIGKILL') return `the replay had not ended after ${limitMs / 1000} s`
  return code === 0 ? undefined : `the replay ended with code ${code}: ${stderr.slice(-1000)}`
}

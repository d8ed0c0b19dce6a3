// @ts-check
import { environment } from '../scripts/environment.mjs'
import { startScript } from '../scripts/start-script.mjs'

/**
 * Replays a whole dead-letter queue in a process of its own, as an operator does.
 * @param {string} url
 * @param {import('../scripts/workers.mjs').QueueName} queue
 * @param {{ limitMs: number }} options
 * @returns {Promise<string | undefined>} why the replay is not as it must be
 */
export async function replayAll(url, queue, { limitMs }) {
  const { child, ended } = startScript('chaos/replay-process.mjs', {
    args: [url, queue],
    env: { PATH: environment.PATH },
  })
  let isOver = false
  const timer = setTimeout(() => {
    isOver = true
    child.kill('SIGKILL')
  }, limitMs)
  try {
    await ended
    return undefined
  } catch (error) {
    return isOver ? `the replay had not ended after ${limitMs / 1000} s` : String(error)
  } finally {
    clearTimeout(timer)
  }
}

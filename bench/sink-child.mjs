// @ts-check
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import process from 'node:process'
import { environment } from '../scripts/environment.mjs'
import { rootDirectory } from '../scripts/services/paths.mjs'

/**
 * A server that takes what is sent to it and counts it, in a process of its own.
 * @typedef {object} Sink
 * @property {number} port
 * @property {() => Promise<import('./sink-tally.mjs').Tally>} renew counts from nothing again
 * @property {() => Promise<import('./sink-tally.mjs').Tally>} look
 */

/**
 * @template T
 * @param {string} script relative to the root; it calls `serveTally`
 * @param {{ args?: string[], signal: AbortSignal }} options
 * @param {(sink: Sink) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withSink(script, { args = [], signal }, work) {
  const child = spawn(process.execPath, [join(rootDirectory, script), ...args], {
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit')
  const failure = ended.then(([code]) => {
    throw new Error(`${script} ended with code ${code}.`)
  })
  failure.catch(() => {}) // whoever waits for an answer is told
  const nextMessage = async () => {
    const [message] = await Promise.race([once(child, 'message', { signal }), failure])
    return message
  }
  const ask = async (/** @type {'renew' | 'look'} */ question) => {
    const answer = nextMessage()
    child.send(question)
    return await answer
  }
  try {
    const { port } = await nextMessage()
    return await work({ port, renew: () => ask('renew'), look: () => ask('look') })
  } finally {
    child.kill()
    await ended
  }
}

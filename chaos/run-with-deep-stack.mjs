// @ts-check
import { Worker } from 'node:worker_threads'

const stackSizeMb = 64
const program = `
  const { parentPort, workerData } = require('node:worker_threads')
  const { module, name, args } = workerData
  import(module).then(async (exports) => parentPort.postMessage(await exports[name](...args)))`

/**
 * Calls an exported function in a thread of its own. amqplib encodes and decodes headers by recursion, so that in a
 * stack of usual size it fails at tables that are nested some thousand levels deep.
 * @template {unknown[]} A
 * @template R
 * @param {string} module its URL
 * @param {(...args: A) => Promise<R>} exported under its own name
 * @param {A} args
 * @returns {Promise<R>}
 */
export async function runWithDeepStack(module, { name }, ...args) {
  const thread = new Worker(program, {
    eval: true,
    workerData: { module, name, args },
    resourceLimits: { stackSizeMb },
  })
  return await new Promise((resolve, reject) => {
    thread.once('message', resolve)
    thread.once('error', reject)
    thread.once('exit', () => reject(new Error(`The thread that called ${name} ended without a result`)))
  })
}

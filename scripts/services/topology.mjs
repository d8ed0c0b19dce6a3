// @ts-check
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { rootDirectory } from './paths.mjs'

const file = 'docker/rabbitmq/definitions.json'

/** @typedef {{ name: string, vhost: string, arguments: Record<string, unknown> }} Queue */
/** @typedef {{ exchanges: { name: string }[], queues: Queue[], bindings: unknown[] }} Definitions */

/** @returns {Definitions} what docker/rabbitmq/definitions.json has */
export function readDefinitions() {
  try {
    return JSON.parse(readFileSync(join(rootDirectory, file), 'utf8'))
  } catch (error) {
    throw new Error(
      `${file} cannot be read (${error instanceof Error ? error.message : error}): mend it, or make it anew by "npm run generate".`,
    )
  }
}

/** @typedef {{ rabbitmqUrl: string, managementUrl: string }} Broker */

/**
 * Asks the management API of the broker.
 * @param {Broker} broker
 * @param {string} path
 * @param {RequestInit} [options]
 */
async function ask({ rabbitmqUrl, managementUrl }, path, options = {}) {
  const { username, password } = new URL(rabbitmqUrl)
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  const headers = { authorization: `Basic ${login}`, 'content-type': 'application/json' }
  return await fetch(`${managementUrl}/api/${path}`, { ...options, headers, signal: AbortSignal.timeout(30_000) })
}

/** @type {typeof ask} */
async function call(broker, path, options) {
  const response = await ask(broker, path, options)
  if (!response.ok) throw new Error(`${response.status} ${(await response.text()).slice(0, 300)}`)
  return response
}

/**
 * Imports the topology. What is there already stays as it is: an import neither changes it nor says so.
 * @param {Broker} broker
 * @param {Definitions} definitions
 * @returns {Promise<string[]>} one sentence for each queue that is there with other arguments
 */
export async function importTopology(broker, definitions) {
  try {
    await assertNoAlarm(broker)
    await call(broker, 'definitions', { method: 'POST', body: JSON.stringify(definitions) })
    const vhost = encodeURIComponent(definitions.queues[0]?.vhost ?? '/')
    const found = /** @type {Queue[]} */ (await (await call(broker, `queues/${vhost}`)).json())
    return definitions.queues.flatMap((queue) => {
      const there = found.find(({ name }) => name === queue.name)
      return there ? describeDifference(queue, there) : [`The queue ${queue.name} is not there after the import.`]
    })
  } catch (error) {
    const { message, cause } = error instanceof Error ? error : new Error(String(error))
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message
    throw new Error(`The broker at ${broker.managementUrl} did not take ${file}: ${reason}`)
  }
}

/**
 * With an alarm the broker answers, but takes no message.
 * @param {Broker} broker
 */
async function assertNoAlarm(broker) {
  const response = await ask(broker, 'health/checks/alarms')
  if (response.status !== 503) return
  const { alarms = [] } = /** @type {{ alarms?: { resource: string }[] }} */ (await response.json())
  const isDisk = alarms.some(({ resource }) => /disk/.test(resource))
  throw new Error(
    isDisk
      ? 'its disk is full, and it takes no messages; free some space, and run this again'
      : 'its memory is used up, and it takes no messages; raise vm_memory_high_watermark in docker/rabbitmq/rabbitmq.conf',
  )
}

/**
 * @param {Queue} wanted
 * @param {Queue} there
 */
function describeDifference(wanted, there) {
  const names = new Set([...Object.keys(wanted.arguments), ...Object.keys(there.arguments)])
  const different = [...names].filter((name) => !isDeepStrictEqual(wanted.arguments[name], there.arguments[name]))
  if (different.length === 0) return []
  const show = (/** @type {unknown} */ value) => (value === undefined ? 'missing' : JSON.stringify(value))
  const texts = different.map(
    (name) => `${name} is ${show(there.arguments[name])}, not ${show(wanted.arguments[name])}`,
  )
  return [
    `The queue ${wanted.name} was there before, with other arguments (${texts.join('; ')}), and stays so: empty and delete it, and run this again.`,
  ]
}

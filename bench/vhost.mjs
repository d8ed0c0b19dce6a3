// @ts-check
import { randomBytes } from 'node:crypto'
import { createTopology } from '@mono/rascal-config'
import { connect } from 'amqplib'

/**
 * A vhost that nobody else uses, with the topology of production.
 * @typedef {object} BenchVhost
 * @property {string} url with a user of its own, because NODE_ENV=production refuses the development password
 * @property {string} version of the broker
 * @property {(name: string) => BenchQueue} openQueue a work queue
 *
 * @typedef {object} BenchQueue
 * @property {() => Promise<void>} renew deletes the queue and declares it again, so that each side of each round meets
 *   the same
 * @property {() => Promise<number>} countMessages
 * @property {() => Promise<void>} assertEmpty
 * @property {() => Promise<import('amqplib').GetMessage>} takeMessage
 */

/**
 * @template T
 * @param {import('../scripts/services/services.mjs').Services} services
 * @param {(vhost: BenchVhost) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withVhost({ rabbitmqUrl, managementUrl }, work) {
  const url = new URL(rabbitmqUrl.split(',')[0] ?? '')
  const manage = createManagementRequest(managementUrl, url)
  const name = `bench_${randomBytes(6).toString('hex')}`
  const password = randomBytes(12).toString('hex')
  try {
    await manage('PUT', `vhosts/${name}`, {})
    await manage('PUT', `users/${name}`, { password, tags: '' })
    await manage('PUT', `permissions/${name}/${name}`, { configure: '.*', write: '.*', read: '.*' })
    Object.assign(url, { username: name, password, pathname: `/${name}` })
    const connection = await connect(url.href)
    connection.on('error', () => {}) // whoever uses it is told
    try {
      return await work(await createBenchVhost(url.href, connection))
    } finally {
      await connection.close()
    }
  } finally {
    await manage('DELETE', `vhosts/${name}`)
    await manage('DELETE', `users/${name}`)
  }
}

/**
 * @param {string} url
 * @param {import('amqplib').ChannelModel} connection
 * @returns {Promise<BenchVhost>}
 */
async function createBenchVhost(url, connection) {
  const channel = await connection.createChannel()
  channel.on('error', () => {})
  const { exchanges, queues, bindings } = createTopology()
  const declareQueues = async () => {
    for (const { name, ...options } of queues) await channel.assertQueue(name, options)
    for (const { destination, source, bindingKey } of bindings) await channel.bindQueue(destination, source, bindingKey)
  }
  for (const { name, type, ...options } of exchanges) await channel.assertExchange(name, type, options)
  await declareQueues()
  return {
    url,
    version: String(connection.connection.serverProperties.version),
    openQueue: (name) => createBenchQueue(name, channel, declareQueues),
  }
}

/**
 * @param {string} name
 * @param {import('amqplib').Channel} channel
 * @param {() => Promise<void>} declareQueues
 * @returns {BenchQueue}
 */
function createBenchQueue(name, channel, declareQueues) {
  const countMessages = async () => (await channel.checkQueue(name)).messageCount
  return {
    async renew() {
      await channel.deleteQueue(name)
      await declareQueues()
    },
    countMessages,
    async assertEmpty() {
      const left = await countMessages()
      if (left > 0) throw new Error(`Expected an empty queue, found ${left} messages: not all were acknowledged.`)
    },
    async takeMessage() {
      const message = await channel.get(name, { noAck: true })
      if (!message) throw new Error(`Expected a message in ${name}, found none.`)
      return message
    },
  }
}

/**
 * @param {string} managementUrl
 * @param {URL} brokerUrl whose user must be an administrator
 */
function createManagementRequest(managementUrl, { username, password }) {
  const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64')
  return async (/** @type {string} */ method, /** @type {string} */ path, /** @type {object} */ body = {}) => {
    const response = await fetch(new URL(`/api/${path}`, managementUrl), {
      method,
      headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (response.ok) return
    throw new Error(`${method} ${path} of RabbitMQ's management API: expected success, found ${response.status}.`)
  }
}

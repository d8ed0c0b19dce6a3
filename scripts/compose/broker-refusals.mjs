// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import {
  createTopology,
  deadLetterExchange,
  deadLetterQueueName,
  realtimeExchange,
  retryExchangeName,
  workQueueNames,
  workQueues,
} from '@mono/rascal-config'
import { connect } from 'amqplib'
import { workerOf, workers } from '../workers.mjs'

/**
 * @typedef {import('amqplib').ConfirmChannel} ConfirmChannel
 * @typedef {[action: string, object: string, act: (channel: ConfirmChannel) => Promise<unknown>]} Attempt
 * @typedef {import('@mono/rascal-config').WorkQueueName} WorkQueueName
 */

const timeoutMs = 10_000

/** @param {string} exchange @param {string} key @returns {Attempt} */
const publish = (exchange, key) => [
  'publish to',
  exchange === '' ? 'the default exchange' : `${exchange} as ${key}`,
  async (channel) => {
    channel.publish(exchange, key, Buffer.from('x'))
    await channel.waitForConfirms()
  },
]

/** @param {WorkQueueName} own @param {string} exchange @param {string} key @returns {Attempt} */
const bind = (own, exchange, key) => [
  'bind its queue to',
  `${exchange} with ${key}`,
  (channel) => channel.bindQueue(own, exchange, key),
]

/** With a queue that is exclusive. @param {string} exchange @returns {Attempt} */
const bindOwn = (exchange) => [
  'bind its queue to',
  exchange,
  async (channel) => channel.bindQueue((await channel.assertQueue('', { exclusive: true })).queue, exchange, '#'),
]

/** What nobody may do but the worker of this queue. @param {WorkQueueName} queue @returns {Attempt[]} */
const attemptsOnQueue = (queue) => [
  ['get', queue, (channel) => channel.get(queue)],
  ['get', deadLetterQueueName(queue), (channel) => channel.get(deadLetterQueueName(queue))],
  ['purge', queue, (channel) => channel.purgeQueue(queue)],
  ['delete', queue, (channel) => channel.deleteQueue(queue)],
  ['delete', retryExchangeName(queue), (channel) => channel.deleteExchange(retryExchangeName(queue))],
  publish(retryExchangeName(queue), 'work'),
  publish(deadLetterExchange, queue),
]

const retryExchanges = workQueueNames.map(retryExchangeName)
const sharedExchanges = createTopology()
  .exchanges.map(({ name }) => name)
  .filter((name) => !retryExchanges.includes(name))

/** What nobody may do. @type {Attempt[]} */
const attemptsOfAll = [
  publish('', 'audit.events'),
  ...sharedExchanges.map(
    (name) => /** @type {Attempt} */ (['delete', name, (channel) => channel.deleteExchange(name)]),
  ),
  ['declare', 'mine', (channel) => channel.assertQueue('mine')],
]

const sends = workers.map(({ exchange, routingKey }) => publish(exchange, routingKey))
/** Each of a work queue's keys at the exchanges of the others. */
const strayKeys = workQueueNames.flatMap((queue) => {
  const { exchange, routingKey } = workerOf(queue)
  const others = new Set(workers.map((other) => other.exchange))
  others.delete(exchange)
  return [...others].map((other) => publish(other, routingKey))
})
const liveUpdate = publish(realtimeExchange, 'chat.1.1')

/** @param {WorkQueueName} own @returns {Attempt[]} */
function attemptsOfWorker(own) {
  const others = workQueueNames.filter((queue) => queue !== own)
  return [
    ...others.flatMap(attemptsOnQueue),
    ...others.map((other) => bind(own, workQueues[other].exchange, workQueues[other].bindingKey)),
    ...others.map((other) => bind(own, deadLetterExchange, other)),
    ...sends,
    ...(own === 'chat.messages' ? [] : [liveUpdate]),
    ...attemptsOfAll,
  ]
}

const onAllQueues = workQueueNames.flatMap(attemptsOnQueue)
/** @type {Record<string, Attempt[]>} */
const attemptsOf = {
  ...Object.fromEntries(workQueueNames.map((queue) => [workerOf(queue).name, attemptsOfWorker(queue)])),
  publisher: [...onAllQueues, ...strayKeys, liveUpdate, ...attemptsOfAll],
  monitoring: [...onAllQueues, ...sends, liveUpdate, ...attemptsOfAll],
  operator: [
    ...onAllQueues.filter(([action, object]) => !(action === 'get' && object.endsWith('.dlq'))),
    ...workQueueNames
      .map(deadLetterQueueName)
      .map((name) => /** @type {Attempt} */ (['delete', name, (channel) => channel.deleteQueue(name)])),
    ...strayKeys,
    liveUpdate,
    ...attemptsOfAll,
  ],
  realtime: [
    ...onAllQueues,
    ...sends,
    liveUpdate,
    ...attemptsOfAll,
    ...sharedExchanges.filter((name) => name !== realtimeExchange).map(bindOwn),
  ],
}

/**
 * What each user of the broker must not do, tried.
 * @param {(user: string) => string} urlOf
 * @returns {Promise<import('./refusals.mjs').Answer[]>}
 */
export async function tryBrokerUsers(urlOf) {
  /** @type {import('./refusals.mjs').Answer[]} */
  const answers = []
  for (const [who, attempts] of Object.entries(attemptsOf)) {
    const connection = await connect(urlOf(who), { timeout: timeoutMs })
    connection.on('error', () => {})
    try {
      for (const [action, object, act] of attempts) {
        answers.push({ who, action, object, ...(await tryOn(connection, act)) })
      }
    } finally {
      await connection.close()
    }
  }
  return answers
}

/**
 * @param {import('amqplib').ChannelModel} connection
 * @param {Attempt[2]} act
 */
async function tryOn(connection, act) {
  const channel = await connection.createConfirmChannel()
  // The broker closes the channel over what it refuses, with the reason.
  const closed = new Promise((_, reject) => channel.on('error', reject))
  const silent = sleep(timeoutMs, undefined, { ref: false }).then(() => {
    throw new Error(`no answer within ${timeoutMs} ms`)
  })
  silent.catch(() => {})
  try {
    await Promise.race([closed, silent, act(channel)])
  } catch (error) {
    const { code, message } = /** @type {Error & { code?: number }} */ (error)
    // ACCESS_REFUSED (https://www.rabbitmq.com/amqp-0-9-1-reference#constants).
    return { refused: code === 403, answer: message }
  }
  await channel.close()
  return { refused: false, answer: 'done' }
}

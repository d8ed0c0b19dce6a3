// @ts-check
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createMessageQueue } from '@mono/message-queue'
import { createTopology } from '@mono/rascal-config'
import { connect } from 'amqplib'
import { step } from '../services/progress.mjs'
import { queueNames } from '../workers.mjs'
import { sendAll } from './effects.mjs'

const file = 'docker/rabbitmq/definitions.json'
/** Its worker declares it anew. */
const queue = 'audit.events.retry.60s'
const argument = 'x-message-ttl'

/**
 * `docker compose up rabbitmq` alone: the topology is there, what is sent is confirmed and outlives a restart, and the log
 * tells of a definitions file that is cut off, and of a queue that exists with other arguments. Leaves the queues empty.
 * @param {import('./test-fleet.mjs').TestFleet} testFleet
 * @param {import('./run-fleet-test.mjs').Report} report
 */
export async function testBrokerAlone({ fleet, ports, directory }, { print, check }) {
  const cutOff = join(directory, 'definitions.json')
  await writeFile(cutOff, '{ "queues": [')
  const mount = `${cutOff}:/etc/rabbitmq/definitions.json:ro`
  const { code, stdout, stderr } = await fleet.tryCompose('run', '--rm', '--no-deps', '--volume', mount, 'rabbitmq')
  const answer = stderr.trim().split('\n').at(-1) ?? ''
  print(`definitions that are cut off: ${answer}`)
  check(
    code === 1 && stdout === '' && answer.startsWith(`${file}: expected`),
    `a broker starts with definitions that are cut off: code ${code}, ${stdout}`,
  )

  const url = `amqp://admin:admin123@127.0.0.1:${ports.AMQP_PORT}/mono`
  const topology = createTopology()
  const [wanted] = topology.queues.filter(({ name }) => name === queue)
  const other = { ...wanted, arguments: { ...wanted?.arguments, [argument]: 5 } }
  const listDifferences = async () =>
    (await fleet.compose('logs', '--no-log-prefix', 'rabbitmq')).split('\n').filter((line) => line.startsWith(file))

  await step('bringing the broker up, alone', () => fleet.up('rabbitmq'))
  const messageQueue = createMessageQueue({ url, connectionName: 'test-compose' })
  await sendAll(messageQueue, { from: 0, to: 1 }).finally(() => messageQueue.close())
  const differences = await listDifferences()
  check(differences.length === 0, `a new broker has another topology: ${differences[0]}`)
  await withChannel(url, async (channel) => {
    for (const { name } of topology.exchanges) await channel.checkExchange(name)
    for (const { name } of topology.queues) await channel.checkQueue(name)
    await channel.deleteQueue(queue)
    await channel.assertQueue(queue, other)
  })

  await step('starting the broker again', () => fleet.compose('restart', 'rabbitmq'))
  await step('waiting for the broker', () => fleet.up('rabbitmq'))
  const told = `${file}: queue ${queue}: ${argument}: expected 60000, found 5`
  const found = await listDifferences()
  print(found.join('\n'))
  check(found[0] === told && found.length === 2, `expected the log to tell of one difference: ${told}`)
  await withChannel(url, async (channel) => {
    for (const name of queueNames) {
      const { messageCount } = await channel.purgeQueue(name)
      check(messageCount === 1, `${name}: expected 1 message after a restart of the broker, found ${messageCount}`)
    }
    await channel.deleteQueue(queue)
  })
}

/** @param {string} url @param {(channel: import('amqplib').Channel) => Promise<void>} act */
async function withChannel(url, act) {
  const connection = await connect(url)
  try {
    await act(await connection.createChannel())
  } finally {
    await connection.close()
  }
}

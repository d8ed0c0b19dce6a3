// @ts-check
import { setTimeout as delay } from 'node:timers/promises'
import { openPage } from './open-page.mjs'
import { visitApplication } from './visit-application.mjs'

const effectLimitMs = 60_000
const pollMs = 20

/**
 * One effect of one example, as it is shown.
 * @typedef {{ worker: string, sent: string, where: string, done: string | undefined, seconds: number }} Outcome
 */

/** @typedef {Awaited<ReturnType<import('../workers.mjs').WorkerDescription['sendExample']>>} Example */

/**
 * Waits for an effect.
 * @param {Example['effects'][number]} effect
 * @param {number} since
 */
async function awaitEffect({ where, read }, since) {
  for (;;) {
    const done = await read()
    const seconds = (performance.now() - since) / 1000
    if (done !== undefined || seconds * 1000 > effectLimitMs) return { where, done, seconds }
    await delay(pollMs)
  }
}

/**
 * Sends an example, waits for its effects, and goes on with the next one if there is one.
 * @param {string} worker
 * @param {() => Promise<Example>} send
 * @returns {Promise<Outcome[]>}
 */
async function runInTurn(worker, send) {
  const since = performance.now()
  const { sent, effects, end, sendNext } = await send()
  const results = await Promise.all(effects.map((effect) => awaitEffect(effect, since)))
  await end?.()
  const outcomes = results.map((result) => ({ worker, sent, ...result }))
  return sendNext ? [...outcomes, ...(await runInTurn(worker, sendNext))] : outcomes
}

/**
 * Connects as an application does, sends the examples for each worker and waits up to a minute for its effects. Visits the
 * example application too, where it runs.
 * @param {import('../workers.mjs').WorkerDescription[]} workers
 * @param {Pick<import('../services/services.mjs').Services, 'rabbitmqUrl' | 'databaseUrl' | 'realtime'>} services
 * @param {import('./far-ends.mjs').FarEnds} farEnds
 * @param {string | undefined} applicationUrl
 * @returns {Promise<Outcome[]>}
 */
export async function runExamples(workers, { rabbitmqUrl, databaseUrl, realtime }, farEnds, applicationUrl) {
  // Only here, since they are not there before the dependencies are installed and the packages built.
  const { createMessageQueue } = await import('@mono/message-queue')
  const { connect } = await import('amqplib')
  const { default: pg } = await import('pg')
  const urls = rabbitmqUrl.split(',').map((url) => url.trim())
  const messageQueue = createMessageQueue({ url: urls, connectionName: 'npm start' })
  const pool = new pg.Pool({ connectionString: databaseUrl })
  const connection = await connect(urls[0] ?? '')
  connection.on('error', () => {})
  const query = async (/** @type {string} */ sql, /** @type {unknown[] | undefined} */ params) =>
    (await pool.query(sql, params)).rows
  const page = realtime && openPage(realtime, query)
  /** @type {import('@mono/test-support').ExampleStage<import('@mono/message-queue').MessageQueue>} */
  const stage = {
    messageQueue,
    ...farEnds,
    query,
    ...(page && { hear: page.hear }),
    async subscribe(exchange, bindingKey) {
      /** @type {{ routingKey: string, body: Record<string, unknown> }[]} */
      const received = []
      const channel = await connection.createChannel()
      const { queue } = await channel.assertQueue('', { exclusive: true })
      await channel.bindQueue(queue, exchange, bindingKey)
      await channel.consume(
        queue,
        (message) => {
          if (message)
            received.push({ routingKey: message.fields.routingKey, body: JSON.parse(message.content.toString()) })
        },
        { noAck: true },
      )
      return { find: (wanted) => received.find(({ body }) => wanted(body))?.routingKey }
    },
  }
  try {
    await messageQueue.connect()
    const examples = workers.map((worker) => runInTurn(worker.name, () => worker.sendExample(stage)))
    if (applicationUrl) examples.push(runInTurn('application', () => visitApplication(applicationUrl)))
    return (await Promise.all(examples)).flat()
  } finally {
    page?.close()
    await messageQueue.close()
    await connection.close()
    await pool.end()
  }
}

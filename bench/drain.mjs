// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { environment } from '../scripts/environment.mjs'
import { startScript } from '../scripts/start-script.mjs'
import { openPublisher } from './reference-publish.mjs'
import { untilRecorded } from './until-recorded.mjs'

const count = 100_000
const batchSize = 500
const prefetch = 1000
/** For the acks of the last rows; this part is not measured. */
const lastAcksMs = 500

/**
 * Records what is in the work queue in the table. Each run is a process of its own, and meets a full queue just declared
 * and an empty table.
 * @param {import('./vhost.mjs').BenchVhost} vhost
 * @param {import('./database.mjs').BenchDatabase} database
 * @returns {import('./compare.mjs').Comparison}
 */
export function createDrainComparison(vhost, database) {
  const queue = vhost.openQueue('audit.events')
  const countRecorded = async () => {
    const { recorded } = await database.queryRow('SELECT count(*)::int AS recorded FROM audit.events')
    return recorded
  }
  const run = (/** @type {(signal: AbortSignal) => import('../scripts/start-script.mjs').Script} */ start) => {
    return async (/** @type {AbortSignal} */ signal) => {
      await queue.renew()
      await database.queryRow('TRUNCATE audit.events')
      await fillQueue(vhost.url)
      const child = start(signal)
      await untilRecorded(child, countRecorded, { count, signal })
      await sleep(lastAcksMs)
      child.stop()
      await child.ended
      await queue.assertEmpty()
      return await measure(database)
    }
  }
  const env = {
    ...environment,
    NODE_ENV: 'production',
    RABBITMQ_URL: vhost.url,
    DATABASE_URL: database.url,
    AUDIT_BATCH_SIZE: String(batchSize),
    PREFETCH: String(prefetch),
    HTTP_PORT: '0',
  }
  const args = [vhost.url, database.url, prefetch, batchSize]
  return {
    title: `drain: audit-worker against plain amqplib and pg, ${count.toLocaleString('en')} events`,
    bar: 0.6,
    ours: run((signal) => startScript('apps/audit-worker/dist/main.js', { env, signal })),
    reference: run((signal) => startScript('bench/reference-drain.mjs', { args, signal })),
  }
}

/** @param {string} url */
async function fillQueue(url) {
  const { publishAll, close } = await openPublisher(url)
  await publishAll(count, 500)
  await close()
}

/**
 * `recorded_at` is when a row's statement began (PostgreSQL docs: now()). So from the first to the last of them all rows
 * were recorded but those of the last statement.
 * @param {import('./database.mjs').BenchDatabase} database
 * @returns {Promise<import('./compare.mjs').Run>}
 */
async function measure(database) {
  const { recorded, ids, before_last, seconds } = await database.queryRow(`
    SELECT count(*)::int AS recorded, count(DISTINCT event_id)::int AS ids,
      (count(*) FILTER (WHERE recorded_at < last))::int AS before_last,
      extract(epoch FROM max(last) - min(recorded_at))::float AS seconds
    FROM audit.events, (SELECT max(recorded_at) AS last FROM audit.events) AS ends`)
  if (recorded === count && ids === count) return { count: before_last, seconds }
  throw new Error(`Expected ${count} rows, each of another event, found ${recorded} rows of ${ids} events.`)
}

// @ts-check
import { startScript } from '../scripts/start-script.mjs'
import { startWorker } from './start-worker.mjs'
import { untilDrained } from './until-drained.mjs'

/**
 * @typedef {object} RecordingBench
 * @property {string} title
 * @property {number | undefined} bar
 * @property {number} count messages, each a row
 * @property {'audit.events' | 'chat.messages'} queue
 * @property {{ name: string, id: string, at: string }} table `id` and `at`: its columns, of which `at` holds `now()`
 * @property {string} [emptied] further tables that a run must find empty
 * @property {(url: string) => Promise<unknown>} publish
 * @property {import('./start-worker.mjs').WorkerProcess} worker
 * @property {{ script: string, args: (string | number)[] }} reference
 * @property {() => Promise<void>} [check] what else must be true of what was recorded
 *
 * @typedef {object} RecordingMeans
 * @property {import('./vhost.mjs').BenchVhost} vhost
 * @property {import('./database.mjs').BenchDatabase} database
 */

/**
 * Records what is in the work queue in a table. Each run is a process of its own, and meets a full queue just declared
 * and an empty table.
 * @param {RecordingBench} bench
 * @param {RecordingMeans} means
 * @returns {import('./compare.mjs').Comparison}
 */
export function createRecordingComparison(bench, { vhost, database }) {
  const { title, bar, count, table, emptied, publish, worker, reference, check } = bench
  const queue = vhost.openQueue(bench.queue)
  const countRecorded = async () => {
    const { recorded } = await database.queryRow(`SELECT count(*)::int AS recorded FROM ${table.name}`)
    return recorded
  }
  const run = (/** @type {(signal: AbortSignal) => import('../scripts/start-script.mjs').Script} */ start) => {
    return async (/** @type {AbortSignal} */ signal) => {
      await queue.renew()
      await database.queryRow(`TRUNCATE ${[table.name, ...(emptied ? [emptied] : [])].join()}`)
      await publish(vhost.url)
      await untilDrained(queue, start(signal), countRecorded, { count, signal })
      await check?.()
      return await measure(database, { count, table })
    }
  }
  return {
    title,
    bar,
    ours: run((signal) => startWorker(worker, { vhost, database, signal })),
    reference: run((signal) => startScript(reference.script, { ...reference, signal })),
  }
}

/**
 * The column `at` says when a row's transaction began (PostgreSQL docs: now()). So from the first to the last of them
 * all rows were recorded but those of the last transaction.
 * @param {import('./database.mjs').BenchDatabase} database
 * @param {Pick<RecordingBench, 'count' | 'table'>} bench
 * @returns {Promise<import('./compare.mjs').Run>}
 */
async function measure(database, { count, table: { name, id, at } }) {
  const { recorded, ids, before_last, seconds } = await database.queryRow(`
    SELECT count(*)::int AS recorded, count(DISTINCT ${id})::int AS ids,
      (count(*) FILTER (WHERE ${at} < last))::int AS before_last,
      extract(epoch FROM max(last) - min(${at}))::float AS seconds
    FROM ${name}, (SELECT max(${at}) AS last FROM ${name}) AS ends`)
  if (recorded === count && ids === count) return { count: before_last, seconds }
  throw new Error(`Expected ${count} rows, each of another message, found ${recorded} rows of ${ids} messages.`)
}

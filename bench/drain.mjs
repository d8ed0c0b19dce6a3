// @ts-check
import { createRecordingComparison } from './recording.mjs'
import { openPublisher } from './reference-publish.mjs'

const count = 100_000
const batchSize = 500
const prefetch = 1000

/**
 * Records audit events.
 * @param {import('./recording.mjs').RecordingMeans} means
 * @returns {import('./compare.mjs').Comparison}
 */
export function createDrainComparison(means) {
  return createRecordingComparison(
    {
      title: `drain: audit-worker against plain amqplib and pg, ${count.toLocaleString('en')} events`,
      bar: 0.6,
      count,
      queue: 'audit.events',
      table: { name: 'audit.events', id: 'event_id', at: 'recorded_at' },
      emptied: 'audit.event_identities',
      publish,
      worker: {
        script: 'apps/audit-worker/dist/main.js',
        env: { AUDIT_BATCH_SIZE: String(batchSize), PREFETCH: String(prefetch) },
      },
      reference: {
        script: 'bench/reference-drain.mjs',
        args: [means.vhost.url, means.database.url, prefetch, batchSize],
      },
    },
    means,
  )
}

/** @param {string} url */
async function publish(url) {
  const { publishAll, close } = await openPublisher(url)
  await publishAll(count, 500)
  await close()
}

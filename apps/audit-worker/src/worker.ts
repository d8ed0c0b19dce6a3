import { runWorker } from '@mono/worker-runtime'
import { createAuditStore } from './audit-store.js'
import { readAuditEnv } from './env.js'
import { createAuditBatchHandler } from './handle-audit-batch.js'
import { startPartitionUpkeep } from './partition-upkeep.js'
import { createPartitions } from './partitions.js'
import { keepToRetention } from './retention.js'
import { startRetention } from './start-retention.js'

await runWorker({
  name: 'audit-worker',
  readEnv: () => readAuditEnv(),
  schema: 'audit',
  // There once every event that was recorded before has its identity.
  probeTable: 'audit.event_identities_filled',
  probeStatements: [
    `WITH identity AS (
       INSERT INTO audit.event_identities (tenant_id, event_id, occurred_at)
       VALUES (0, gen_random_uuid()::text, now()) RETURNING *
     )
     INSERT INTO audit.events
       (tenant_id, event_id, occurred_at, event_type, user_id, entity_type, entity_id, changes, routing_key, recorded_at)
     SELECT tenant_id, event_id, occurred_at, '', '', '', '', '{}', '', now() FROM identity`,
    'UPDATE audit.retention SET holder = holder WHERE false',
  ],
  async start({ env, pool, messageQueue, logger, judged, onSettled }) {
    const partitions = createPartitions({ database: pool, logger })
    const upkeep = await startPartitionUpkeep(partitions, logger)
    const store = createAuditStore(pool)
    const handler = createAuditBatchHandler({ store, partitions })
    const { batchSize: size, batchWaitMs: maxWaitMs, prefetch } = env
    const consumer = await messageQueue.consumeBatches('audit.events', judged.batch(handler), {
      size,
      maxWaitMs,
      prefetch,
      onSettled,
    })
    const { retentionMonths: months } = env
    const retention = Number.isFinite(months)
      ? startRetention({ keep: (signal) => keepToRetention({ database: pool, logger, months, signal }), logger })
      : undefined
    return {
      consumer,
      metrics: [
        {
          kind: 'counter',
          name: 'mono_audit_sent_again_with_other_time_total',
          help: 'Events that came again with another time and nothing else',
          read: () => store.sentAgainWithOtherTime,
        },
        {
          kind: 'gauge',
          name: 'mono_audit_default_rows',
          help: 'Events in the default partition, counted once a minute and up to a hundred thousand',
          read: () => upkeep.inDefault,
        },
      ],
      async stop() {
        upkeep.stop()
        retention?.stop()
      },
    }
  },
})

import { runWorker } from '@mono/worker-runtime'
import { createAuditStore } from './audit-store.js'
import { readAuditEnv } from './env.js'
import { createAuditBatchHandler } from './handle-audit-batch.js'
import { startPartitionUpkeep } from './partition-upkeep.js'
import { createPartitions } from './partitions.js'

await runWorker({
  name: 'audit-worker',
  readEnv: () => readAuditEnv(),
  schema: 'audit',
  probeTable: 'audit.events',
  async start({ env, pool, messageQueue, logger, judged, onSettled }) {
    const partitions = createPartitions({ database: pool, logger })
    const upkeep = await startPartitionUpkeep(partitions, logger)
    const handler = createAuditBatchHandler({ store: createAuditStore(pool), partitions })
    const { batchSize: size, batchWaitMs: maxWaitMs, prefetch } = env
    const consumer = await messageQueue.consumeBatches('audit.events', judged.batch(handler), {
      size,
      maxWaitMs,
      prefetch,
      onSettled,
    })
    return { consumer, stop: async () => upkeep.stop() }
  },
})

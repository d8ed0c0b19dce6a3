import { createDeliveryLedger, createLedgerMetrics, LedgerRetention } from '@mono/delivery-ledger'
import { runWorker } from '@mono/worker-runtime'
import { createChannelMetrics } from './channel-metrics.js'
import { createChannels } from './create-channels.js'
import { createDeviceStore } from './device-store.js'
import { readPushEnv } from './env.js'
import { createPushNotificationHandler } from './handle-push-notification.js'
import { createMailingTurns } from './mailing-turns.js'
import { createOriginTurns } from './sending/origin-turns.js'

/** Below the broker's consumer timeout of 30 minutes: 10,000 recipients at a slow push service take their time. */
const handlerTimeoutMs = 20 * 60_000

/**
 * Devices of a push service that are claimed for each request that may be under way to it: while one is asked for, the
 * database is busy with others. One message has half of them at most, so that another is served beside it.
 */
const claimedPerRequest = { together: 4, ofOneMessage: 2 }

await runWorker({
  name: 'push-worker',
  readEnv: () => readPushEnv(),
  schema: 'push',
  probeTable: 'push.leases',
  probeStatements: [
    `INSERT INTO push.deliveries (tenant_id, message_id, device_id, state, attempts)
     VALUES (0, gen_random_uuid()::text, 0, 'sending', 0)`,
    'UPDATE push.deliveries SET state = state, last_reason = last_reason WHERE false',
    'UPDATE push.devices SET disabled_at = disabled_at, registered_at = registered_at WHERE false',
  ],
  async start({ env, pool, messageQueue, logger, judged, onSettled }) {
    const deviceStore = createDeviceStore(pool)
    const { channels, counts, close } = createChannels({ env, deviceStore, logger })
    const ledger = createDeliveryLedger({ pool, table: 'push.deliveries', recipientColumn: 'device_id' })
    let merges = 0
    const onMerged = () => {
      merges += 1
    }
    const handler = createPushNotificationHandler({
      deviceStore,
      ledger,
      channels,
      originTurns: createOriginTurns(claimedPerRequest.together * env.concurrency),
      concurrency: claimedPerRequest.ofOneMessage * env.concurrency,
      mailingTurns: createMailingTurns(),
      counts,
      onMerged,
    })
    const consumer = await messageQueue.consumeMessages('push.notifications', judged.message(handler), {
      prefetch: env.prefetch,
      handlerTimeoutMs,
      onSettled,
    })
    const retention = new LedgerRetention({ pool, table: 'push.deliveries', days: env.ledgerRetentionDays, logger })
    retention.start()
    return {
      consumer,
      metrics: [
        ...createChannelMetrics(channels),
        ...counts.metrics,
        ...createLedgerMetrics({ merged: () => merges, deleted: () => retention.deleted }),
      ],
      async stop() {
        await Promise.all([retention.stop(), close()])
      },
    }
  },
})

import { createDeliveryLedger, createLedgerMetrics, LedgerRetention } from '@mono/delivery-ledger'
import { runWorker } from '@mono/worker-runtime'
import { createPaceMetrics } from './create-pace-metrics.js'
import { createProviders } from './create-providers.js'
import { concurrencyOf, readEmailEnv } from './env.js'
import { createSender } from './failover/create-sender.js'
import { createEmailHandler } from './handle-email.js'
import { createSuppressions } from './suppressions.js'
import { loadTemplates } from './templates/template-store.js'

const minute = 60_000

await runWorker({
  name: 'email-worker',
  readEnv: () => readEmailEnv(),
  schema: 'email',
  probeTable: 'email.leases',
  probeStatements: [
    `INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts)
     VALUES (0, gen_random_uuid()::text, '', 'sending', 0)`,
    'UPDATE email.deliveries SET state = state, last_reason = last_reason, provider = provider WHERE false',
    'SELECT FROM email.suppressions WHERE false AND email.needs_normalizing(address)',
  ],
  async start({ env, pool, messageQueue, logger, judged, onSettled }) {
    const { from, replyTo, onUnknown, prefetch, templatesDirectory } = env
    const templates = loadTemplates(templatesDirectory)
    logger.info({ directory: templatesDirectory, templates: templates.names }, 'Templates are checked')
    const providers = createProviders(env, logger)
    const { name, provider, metrics } = createSender(providers, logger)
    let merges = 0
    const handler = createEmailHandler({
      ledger: createDeliveryLedger({ pool, table: 'email.deliveries', recipientColumn: 'recipient' }),
      suppressions: createSuppressions(pool),
      templates,
      provider,
      from,
      replyTo,
      onUnknown,
      concurrency: concurrencyOf(env),
      onMerged: () => {
        merges += 1
      },
    })
    const consumer = await messageQueue.consumeMessages('email.notifications', judged.message(handler), {
      prefetch,
      // A thousand addresses at a slow server; the broker would close the channel after 30 minutes.
      handlerTimeoutMs: 20 * minute,
      onSettled,
    })
    const retention = new LedgerRetention({ pool, table: 'email.deliveries', days: env.ledgerRetentionDays, logger })
    retention.start()
    return {
      consumer,
      dependencies: [
        {
          name,
          code: 'PROVIDER_UNAVAILABLE',
          probe: () => provider.probe(),
          usedAt: () => provider.tookAt,
        },
      ],
      metrics: [
        ...createLedgerMetrics({ merged: () => merges, deleted: () => retention.deleted }),
        ...providers.flatMap((each) => [...createPaceMetrics(each.name, each.provider), ...(each.metrics ?? [])]),
        ...metrics,
      ],
      async stop() {
        await Promise.all([retention.stop(), provider.close()])
      },
    }
  },
})

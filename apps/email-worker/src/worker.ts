import { createDeliveryLedger, createLedgerMetrics, LedgerRetention } from '@mono/delivery-ledger'
import { runWorker } from '@mono/worker-runtime'
import { toDkimSettings } from './dkim/dkim-env.js'
import { readEmailEnv } from './env.js'
import { createEmailHandler } from './handle-email.js'
import { createOAuthTokens } from './oauth/create-oauth-tokens.js'
import { toOAuthSettings } from './oauth/oauth-env.js'
import { describeTls } from './smtp/describe-tls.js'
import { createSmtpProvider } from './smtp/smtp-provider.js'
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
    'UPDATE email.deliveries SET state = state, last_reason = last_reason WHERE false',
    'SELECT FROM email.suppressions WHERE false AND email.needs_normalizing(address)',
  ],
  async start({ env, pool, messageQueue, logger, judged, onSettled }) {
    const { smtp, from, replyTo, onUnknown, prefetch, templatesDirectory } = env
    const templates = loadTemplates(templatesDirectory)
    logger.info({ directory: templatesDirectory, templates: templates.names }, 'Templates are checked')
    const oauthSettings = toOAuthSettings(env)
    const byToken = oauthSettings !== undefined
    logger.info({ tls: smtp.tls, login: smtp.auth !== undefined, byToken }, describeTls(smtp, { byToken }))
    const oauth = oauthSettings && createOAuthTokens(oauthSettings, { logger })
    const dkim = toDkimSettings(env)
    if (dkim) logger.info({ domain: dkim.domain, selector: dkim.selector }, 'Mails are signed with DKIM')
    const provider = createSmtpProvider(smtp, { dkim, oauth })
    let merges = 0
    const handler = createEmailHandler({
      ledger: createDeliveryLedger({ pool, table: 'email.deliveries', recipientColumn: 'recipient' }),
      suppressions: createSuppressions(pool),
      templates,
      provider,
      from,
      replyTo,
      onUnknown,
      concurrency: smtp.maxConnections,
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
          name: 'smtp',
          code: 'PROVIDER_UNAVAILABLE',
          probe: () => provider.probe(),
          usedAt: () => provider.tookAt,
        },
      ],
      metrics: [
        ...createLedgerMetrics({ merged: () => merges, deleted: () => retention.deleted }),
        {
          kind: 'gauge',
          name: 'mono_smtp_concurrency',
          help: 'Mails that may be on their way to the mail server at a time',
          read: () => provider.concurrency,
        },
        {
          kind: 'gauge',
          name: 'mono_smtp_paused_seconds',
          help: 'How long no mail is begun, because the mail server wants mails more slowly',
          read: () => provider.pausedForMs / 1000,
        },
        ...(oauth ? [oauth.metric] : []),
      ],
      async stop() {
        await Promise.all([retention.stop(), provider.close()])
      },
    }
  },
})

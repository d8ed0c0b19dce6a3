import { type EmailMessage, examples } from '@mono/contracts'
import { test as base, migrate, type TestFixtures, type WorkerProcess, waitFor } from '@mono/test-support'
import { createMailgunService, type MailgunService, type MailgunServiceOptions } from '@mono/test-support/sinks'
import type { TestAPI } from 'vitest'
import { mailgunEnvironment } from './mailgun-environment.js'

export interface MailDelivery extends Record<string, unknown> {
  state: string
  last_code: string | null
  last_reason: string | null
  provider_id: string | null
  attempts: number
}

export interface MailgunSetup {
  createMailgun(options?: MailgunServiceOptions): Promise<MailgunService>
  /** Starts a worker that has no mail server, and waits until it is ready. */
  startWorker(mailgun: MailgunService, env?: Record<string, string>): Promise<WorkerProcess>
  /** Publishes a mail to one recipient, `<id>@example.com`, whose message id is the same. */
  send(id: string, fields?: Partial<EmailMessage>): Promise<void>
  untilDelivery(id: string, expected: Partial<MailDelivery>): Promise<MailDelivery>
}

export const addressOf = (id: string) => `${id}@example.com`

/** `test` with a migrated database and what a worker needs that sends by Mailgun. */
export const test: TestAPI<TestFixtures & { setup: MailgunSetup }> = base.extend<{ setup: MailgunSetup }>({
  setup: async ({ vhost, database, workers, cleanUp }, use) => {
    await migrate('email-worker', database.url)
    await use({
      async createMailgun(options) {
        const mailgun = await createMailgunService(options)
        cleanUp(() => mailgun.close())
        return mailgun
      },
      async startWorker(mailgun, env = {}) {
        const worker = workers.spawn('email-worker', {
          RABBITMQ_URL: vhost.url,
          DATABASE_URL: database.url,
          EMAIL_FROM: 'Mono <mono@example.com>',
          ...mailgunEnvironment(mailgun, cleanUp),
          ...env,
        })
        await worker.ready()
        return worker
      },
      async send(id, fields = {}) {
        const body = { ...examples['email.message'], to: [addressOf(id)], ...fields }
        await vhost.publish('notifications', 'email.send', body, { messageId: id })
      },
      async untilDelivery(id, expected) {
        const sql = 'SELECT * FROM email.deliveries WHERE message_id = $1'
        let last: MailDelivery | undefined
        return await waitFor(
          async () => {
            const [found] = await database.query<MailDelivery>(sql, [id])
            last = found
            return found && Object.entries(expected).every(([key, value]) => found[key] === value) && found
          },
          { what: `${id} to be ${JSON.stringify(expected)}`, timeoutMs: 45_000 },
        ).catch((error: unknown) => {
          throw new Error(`Found ${JSON.stringify(last)}`, { cause: error })
        })
      },
    })
  },
}) as TestAPI<TestFixtures & { setup: MailgunSetup }>

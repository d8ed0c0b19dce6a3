import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { examples } from '@mono/contracts'
import {
  test as base,
  migrate,
  type SmtpSink,
  type TestFixtures,
  type WorkerProcess,
  waitFor,
} from '@mono/test-support'
import {
  createOAuthTokenEndpoint,
  createSmtpSink,
  type OAuthTokenEndpoint,
  type OAuthTokenEndpointOptions,
} from '@mono/test-support/sinks'
import { expect, type TestAPI } from 'vitest'
import { emailEnvironment } from './email-environment.js'

export interface OAuthSetup {
  /** Gives out the tokens. */
  endpoint: OAuthTokenEndpoint
  /** Takes mails with one of these tokens only. */
  sink: SmtpSink
  /** The answer that each login gets instead of being looked at. */
  login: { refusal: string | undefined }
  startWorker(env?: Record<string, string>): Promise<WorkerProcess>
  /** Publishes so many mails, to recipients of their own. */
  send(count: number): Promise<void>
  /** Waits until everybody who was sent a mail has it, and asserts that each has one, and that nothing failed. */
  expectAllSent(): Promise<void>
  /** Waits until it is not ready and `/readyz` says this of the mail server, by the last probe. */
  untilUnready(worker: WorkerProcess, words: string): Promise<void>
}

export interface OAuthSetupOptions extends OAuthTokenEndpointOptions {
  /** Default `client_credentials`. */
  grant?: 'client_credentials' | 'refresh_token'
  /** Mails over one connection at most. Default one, so that each has a login. */
  maxMessages?: number
}

export interface OAuthFixtures extends TestFixtures {
  setUp(options?: OAuthSetupOptions): Promise<OAuthSetup>
}

const user = 'mono@example.com'

/** `test` with a migrated database, a mail server that wants tokens, and who gives them out. */
export const test: TestAPI<OAuthFixtures> = base.extend<Pick<OAuthFixtures, 'setUp'>>({
  setUp: async ({ vhost, database, smtpSink, workers, cleanUp }, use) => {
    await migrate('email-worker', database.url)
    await use((options) => createSetup({ vhost, database, smtpSink, workers, cleanUp }, options))
  },
}) as TestAPI<OAuthFixtures>

async function createSetup(
  {
    vhost,
    database,
    smtpSink,
    workers,
    cleanUp,
  }: Pick<TestFixtures, 'vhost' | 'database' | 'smtpSink' | 'workers' | 'cleanUp'>,
  { grant = 'client_credentials', maxMessages = 1, ...options }: OAuthSetupOptions = {},
): Promise<OAuthSetup> {
  const endpoint = await createOAuthTokenEndpoint(options)
  cleanUp(() => endpoint.close())
  const login: OAuthSetup['login'] = { refusal: undefined }
  const accessTokens = { user, isValid: endpoint.isValid }
  const sink = await createSmtpSink({ accessTokens, refuseLogin: () => login.refusal })
  cleanUp(() => sink.close())
  const directory = mkdtempSync(join(tmpdir(), 'email-oauth-'))
  cleanUp(() => rmSync(directory, { recursive: true }))
  const authorities = join(directory, 'authorities.pem')
  writeFileSync(authorities, endpoint.ca)
  let sent = 0

  return {
    endpoint,
    sink,
    login,
    async startWorker(env = {}) {
      const worker = workers.spawn('email-worker', {
        ...emailEnvironment({ vhost, database, smtpSink }),
        NODE_EXTRA_CA_CERTS: authorities,
        SMTP_URL: `smtp://${encodeURIComponent(user)}@127.0.0.1:${sink.port}?tls=off&maxMessages=${maxMessages}`,
        SMTP_OAUTH_TOKEN_URL: endpoint.url,
        SMTP_OAUTH_CLIENT_ID: endpoint.clientId,
        SMTP_OAUTH_CLIENT_SECRET: endpoint.clientSecret,
        SMTP_OAUTH_SCOPE: endpoint.scope,
        ...(grant === 'refresh_token' && { SMTP_OAUTH_REFRESH_TOKEN: endpoint.refreshToken }),
        ...env,
      })
      await worker.ready()
      return worker
    },
    async send(count) {
      for (const end = sent + count; sent < end; sent += 1) {
        const body = { ...examples['email.message'], to: [`recipient-${sent}@example.com`] }
        await vhost.publish('notifications', 'email.send', body, { messageId: `m${sent}` })
      }
    },
    async expectAllSent() {
      await waitFor(() => sink.received.length >= sent, { what: `${sent} mails`, timeoutMs: 30_000 })
      await waitFor(
        async () => (await database.query("SELECT FROM email.deliveries WHERE state = 'sent'")).length === sent,
        { what: 'all mails recorded' },
      )
      expect([...sink.counts().values()]).toEqual(Array.from({ length: sent }, () => 1))
      expect(await vhost.countMessages('email.notifications.dlq')).toBe(0)
    },
    async untilUnready(worker, words) {
      let said: unknown
      await waitFor(
        async () => {
          const answer = await fetch(`${worker.httpUrl}/readyz`)
          said = ((await answer.json()) as Readiness).checks.breakers.smtp.error
          return answer.status === 503 && said === words
        },
        { what: words, timeoutMs: 30_000 },
      ).catch((error: unknown) => {
        throw new Error(`/readyz says: ${said}`, { cause: error })
      })
    },
  }
}

interface Readiness {
  checks: { breakers: { smtp: { error?: string } } }
}

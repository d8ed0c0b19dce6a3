import { createECDH } from 'node:crypto'
import {
  createTcpProxy,
  migrate,
  type Realtime,
  type TestDatabase,
  type TestFixtures,
  waitFor,
} from '@mono/test-support'
import { createMqttProxy } from '@mono/test-support/browser'
import type { Browser } from 'playwright-core'
import { readEnv } from '../../../src/env.js'
import { runMigrations } from '../../../src/migrations.js'
import { startApplication } from '../../../src/start-application.js'
import { createWorkerTables, letApplicationCount } from '../../support/site-under-test.js'
import { writeTemporaryFile } from '../../support/write-temporary-file.js'
import { openSiteWindow, type SiteWindow, type WindowOptions } from './site-window.js'

const allWorkers = ['chat', 'push', 'email', 'audit'] as const
type Worker = (typeof allWorkers)[number]
type Network = Awaited<ReturnType<typeof createTcpProxy>>
export type Services = Pick<TestFixtures, 'vhost' | 'database' | 'workers' | 'pushService' | 'smtpSink' | 'cleanUp'>

export interface StageOptions {
  /** Those that run. Default: chat-worker alone. */
  workers?: readonly Worker[]
}

/** The application, the workers that a test needs, and bad networks between them. */
export interface Stage {
  /** Where the page is. */
  origin: string
  /** Between browsers and broker. */
  realtime: Network
  /** Between the application and the broker. */
  broker: Network
  /** Between the application and the database. */
  database: Network
  /** Waits until the application says this of the broker. */
  untilBroker(state: 'connected' | 'away'): Promise<void>
  query: TestFixtures['database']['query']
  /** The page in a browser of its own, logged in as this demo user. Default: nobody has logged in. */
  open(user?: string, options?: WindowOptions): Promise<SiteWindow>
}

export interface BrowserServices {
  browser: Browser
  realtime: Realtime
}

/** @returns when the workers are ready */
export async function openStage(
  services: Services,
  { browser, realtime }: BrowserServices,
  { workers = ['chat'] }: StageOptions = {},
): Promise<Stage> {
  const { vhost, database, cleanUp } = services
  await createSchemas(database, workers)
  const vapid = createVapidKeys()
  const environment = await createEnvironment(services, vapid)
  const fleet = workers.map((name) => services.workers.spawn(`${name}-worker`, environment))
  cleanUp(() => Promise.all(fleet.map((worker) => worker.terminate())))

  const open = async (target: string) => {
    const proxy = await createTcpProxy({ target })
    cleanUp(() => proxy.close())
    return proxy
  }
  const mqttProxy = await createMqttProxy({ target: realtime.url, vhost: vhost.name })
  cleanUp(() => mqttProxy.close())
  const networks = {
    realtime: await open(mqttProxy.url),
    broker: await open(vhost.url),
    database: await open(database.url),
  }
  const keyFile = await writeTemporaryFile(realtime.key, cleanUp)
  await Promise.all(fleet.map((worker) => worker.ready()))
  const application = await startApplication(
    readEnv({
      DATABASE_URL: networks.database.url(database.url),
      RABBITMQ_URL: networks.broker.url(vhost.url),
      REALTIME_KEY_FILE: keyFile,
      REALTIME_URL: networks.realtime.url(mqttProxy.url),
      VAPID_PUBLIC_KEY: vapid.publicKey,
      HTTP_PORT: '0',
      LOG_LEVEL: 'silent',
    }),
  )
  cleanUp(() => application.stop())
  const origin = `http://localhost:${application.port}`

  return {
    ...networks,
    origin,
    query: database.query,
    async untilBroker(state) {
      const read = async () => (await (await fetch(`${origin}/readyz`)).json()) as { broker: string }
      await waitFor(async () => (await read()).broker === state, { what: `the application's broker to be ${state}` })
    },
    async open(user, options) {
      const window = await openSiteWindow(browser, origin, options)
      cleanUp(() => window.close())
      if (user !== undefined) await window.logIn(user)
      return window
    },
  }
}

/** Workers that run make their own; of the others the application sees the tables. */
async function createSchemas(database: TestDatabase, workers: readonly Worker[]): Promise<void> {
  const others = allWorkers.filter((name) => !workers.includes(name))
  await createWorkerTables(database, others)
  const migrations = workers.map((name) => migrate(`${name}-worker`, database.url))
  await Promise.all([...migrations, runMigrations(database.url)])
  await letApplicationCount(database)
}

function createVapidKeys() {
  const ecdh = createECDH('prime256v1')
  return { publicKey: ecdh.generateKeys('base64url'), privateKey: ecdh.getPrivateKey('base64url') }
}

/** The settings of all workers: each takes its own. */
async function createEnvironment(
  { vhost, database, pushService, smtpSink, cleanUp }: Services,
  vapid: ReturnType<typeof createVapidKeys>,
): Promise<Record<string, string>> {
  return {
    RABBITMQ_URL: vhost.url,
    DATABASE_URL: database.url,
    NODE_EXTRA_CA_CERTS: await writeTemporaryFile(pushService.ca, cleanUp),
    PUSH_ENDPOINT_ALLOW: `localhost:${pushService.port}`,
    VAPID_SUBJECT: 'mailto:ops@example.com',
    VAPID_PUBLIC_KEY: vapid.publicKey,
    VAPID_PRIVATE_KEY: vapid.privateKey,
    SMTP_URL: smtpSink.url,
    EMAIL_FROM: 'mono@example.com',
  }
}

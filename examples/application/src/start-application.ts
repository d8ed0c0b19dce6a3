import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { createMessageQueue } from '@mono/message-queue'
import { createRealtimeToken } from '@mono/realtime'
import { pino } from 'pino'
import { createPool, inTransaction } from './database.js'
import type { Env } from './env.js'
import { createSite } from './http/create-site.js'
import { createMetrics } from './metrics.js'
import { startOutboxRelay } from './outbox/index.js'
import { findFailure, sendCommitted } from './services/send-committed.js'

export interface Application {
  port: number
  /** Answers what has been asked, sends no more, and gives everything back. What waits in the outbox waits on. */
  stop(): Promise<void>
}

/** Requests that are being answered when the application stops get this long. */
const patienceMs = 10_000

/** @throws Error if no token can be made with the key or the port is taken; database and broker may come later */
export async function startApplication(env: Env): Promise<Application> {
  const logger = pino({ name: 'example-application', level: env.LOG_LEVEL })
  const realtimeKey = readRealtimeKey(env.REALTIME_KEY_FILE)
  const pool = createPool(env.DATABASE_URL)
  const brokerUrls = env.RABBITMQ_URL.split(',').map((url) => url.trim())
  const messageQueue = createMessageQueue({
    url: brokerUrls,
    connectionName: 'example-application',
    logger,
  })
  const metrics = createMetrics(pool)
  const relay = startOutboxRelay({
    pool,
    databaseUrl: env.DATABASE_URL,
    send: (message) => sendCommitted(messageQueue, message),
    findFailure,
    onSent: ({ type }) => metrics.sent.inc({ type }),
    onFailed({ type, messageId }, { code, reason }) {
      metrics.failed.inc({ type, code })
      logger.error({ type, messageId, code, reason }, 'A message can never be sent as it is, and is passed over')
    },
    onHeld: (error, lane) => logger.warn({ err: error, lane }, 'Messages wait'),
  })
  const site = createSite({
    pool,
    transact: (run) => inTransaction(pool, run),
    messageQueue,
    realtimeKey,
    vhost: readVhost(brokerUrls[0]),
    publicOrigin: env.PUBLIC_ORIGIN,
    page: {
      realtimeUrls: env.REALTIME_URL,
      vapidPublicKey: env.VAPID_PUBLIC_KEY ?? null,
      links: [
        { name: 'Mail catcher', url: env.MAIL_CATCHER_URL },
        { name: 'Grafana', url: env.GRAFANA_URL },
      ].flatMap(({ name, url }) => (url ? [{ name, url }] : [])),
    },
    renderMetrics: metrics.render,
    onError: (error) => logger.error({ err: error }, 'A request failed'),
  })
  // So that `connected` tells of the broker before anything is sent. The relay tells why, if it cannot be.
  const connecting = new AbortController()
  const connected = messageQueue
    .connect({ deadlineMs: Number.POSITIVE_INFINITY, signal: connecting.signal })
    .catch(() => undefined)
  const server = createAdaptorServer({ fetch: site.fetch })

  async function stop(): Promise<void> {
    connecting.abort()
    await connected
    await relay.stop()
    await messageQueue.drain()
    await messageQueue.close()
    await pool.end()
  }

  try {
    server.listen(env.HTTP_PORT, env.HTTP_HOST)
    await once(server, 'listening')
  } catch (error) {
    await stop()
    throw error
  }
  const { port } = server.address() as AddressInfo
  logger.info({ port }, 'Ready')
  return {
    port,
    async stop() {
      const closed = once(server, 'close')
      server.close()
      const timer = setTimeout(() => {
        if ('closeAllConnections' in server) server.closeAllConnections()
      }, patienceMs)
      await closed
      clearTimeout(timer)
      await stop()
    },
  }
}

/** Without a path a broker's address means the vhost `/`. */
function readVhost(brokerUrl = ''): string {
  return decodeURIComponent(new URL(brokerUrl).pathname.slice(1)) || '/'
}

/** Makes a token with the key, so that a wrong one ends the start in place of failing each page. */
function readRealtimeKey(file: string): string {
  try {
    const key = readFileSync(file, 'utf8')
    createRealtimeToken({ userId: 'nobody', tenantId: 1, conversations: ['nothing'], key })
    return key
  } catch (error) {
    throw new Error('REALTIME_KEY_FILE: no token can be made with this key', { cause: error })
  }
}

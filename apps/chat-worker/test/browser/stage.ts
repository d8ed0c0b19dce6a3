import { createMessageQueue } from '@mono/message-queue'
import {
  createTcpProxy,
  migrate,
  type Realtime,
  type TestDatabase,
  type TestFixtures,
  type WorkerProcess,
  waitFor,
} from '@mono/test-support'
import { createMqttProxy, type MqttProxy } from '@mono/test-support/browser'
import type { Browser } from 'playwright-core'
import { expect } from 'vitest'
import { chatDescription, conversations } from '../description.mjs'
import { numberedMessage } from '../worker-under-test.js'
import { type ChatPage, type HeardMessage, openChatPage } from './open-chat-page.js'
import { createPageServer, type PageServer } from './page-server.js'

export interface StageOptions {
  browser: Browser
  realtime: Realtime | undefined
  /** How many replicas of chat-worker run. Default 1. */
  replicas?: number
  ttlSeconds?: number
  /** Default 60, as the client has it. */
  checkEverySeconds?: number
}

/** Chat workers, and a page that hears their conversations. */
export interface Stage {
  page: ChatPage
  server: PageServer
  /** Between the page and the broker. */
  network: { cut(): void; down(): Promise<void>; up(): Promise<void> }
  proxy: MqttProxy
  fleet: readonly WorkerProcess[]
  /** Sends so many messages, each when its predecessor is confirmed. The conversations take turns. */
  send(count: number): Promise<void>
  /** Which of the messages it was: 0 is the first. */
  indexOf(messageId: string): number
  /** In milliseconds since 1970. */
  confirmedAt(messageId: string): number
  /** How often the page has asked its server for this path. */
  countRequests(path: string): number
  /**
   * Waits until the page has heard all that was sent, ends the workers, and makes sure that each was heard once, in the
   * order in which it is stored, by a page that was loaded once.
   */
  expectAll(): Promise<HeardMessage[]>
}

type Services = Pick<TestFixtures, 'vhost' | 'database' | 'workers' | 'cleanUp'>

const { tenantId } = numberedMessage(0)
const conversationIds = Array.from({ length: conversations }, (_, index) => numberedMessage(index).conversationId)

/** Chat workers that are ready, and a page in which all conversations are live. */
export async function openStage(
  { vhost, database, workers, cleanUp }: Services,
  options: StageOptions,
): Promise<Stage> {
  const { browser, realtime, replicas = 1, ttlSeconds = 900, checkEverySeconds = 60 } = options
  if (realtime === undefined) throw new Error('Expected a broker with MQTT over WebSocket, found none')
  await migrate('chat-worker', database.url)
  const spawn = () => workers.spawn('chat-worker', { RABBITMQ_URL: vhost.url, DATABASE_URL: database.url })
  const fleet = Array.from({ length: replicas }, spawn)
  await Promise.all(fleet.map((replica) => replica.ready()))
  const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test', deadlineMs: 30_000 })
  cleanUp(() => messageQueue.close())

  const proxy = await createMqttProxy({ target: realtime.url, vhost: vhost.name })
  cleanUp(() => proxy.close())
  const network = await createTcpProxy({ target: proxy.url })
  cleanUp(() => network.close())
  const server = await createPageServer({
    database,
    url: network.url(proxy.url),
    token: {
      userId: 'user-1',
      tenantId,
      conversations: conversationIds,
      ttlSeconds,
      key: realtime.key,
      vhost: vhost.name,
    },
    checkEverySeconds,
  })
  cleanUp(() => server.close())
  const page = await openChatPage(browser, server.url)
  cleanUp(() => page.close())
  await page.untilAll('live', conversations)

  const confirmedAt = new Map<string, number>()
  let sent = 0
  const countRequests = (path: string) => server.requests.get(path) ?? 0

  return {
    page,
    server,
    network,
    proxy,
    fleet,
    countRequests,
    indexOf: (messageId) => Number(messageId.replace('message-', '')),
    confirmedAt: (messageId) => confirmedAt.get(messageId) ?? Number.NaN,
    async send(count) {
      for (let end = sent + count; sent < end; sent += 1) {
        const message = numberedMessage(sent)
        await chatDescription.send(messageQueue, message, message.messageId)
        confirmedAt.set(message.messageId, Date.now())
      }
    },
    async expectAll() {
      const listHeard = () => page.heard()
      await waitFor(async () => (await listHeard()).length >= sent, {
        what: `the page to hear ${sent} messages`,
        timeoutMs: 60_000,
      }).catch(async (error: unknown) => {
        throw new Error(`The page reported: ${(await page.errors()).join('; ')}`, { cause: error })
      })
      for (const replica of fleet) if (replica.running) await replica.terminate()
      const heard = await listHeard()
      expect(toOrder(heard)).toEqual(await readOrder(database))
      expect(heard).toHaveLength(sent)
      expect(countRequests('/')).toBe(1)
      return heard
    },
  }
}

type Order = Record<string, string[]>

/** The ids of each conversation, with their sequences, in the order in which the page was handed them. */
function toOrder(heard: readonly HeardMessage[]): Order {
  const order: Order = {}
  for (const { conversationId, sequence, messageId } of heard) {
    order[conversationId] ??= []
    order[conversationId].push(`${sequence} ${messageId}`)
  }
  return order
}

/** As they are stored. */
async function readOrder(database: TestDatabase): Promise<Order> {
  const rows = await database.query<{ conversation_id: string; ids: string[] }>(
    `SELECT conversation_id, array_agg(sequence || ' ' || message_id ORDER BY sequence) AS ids
     FROM chat.messages GROUP BY conversation_id`,
  )
  return Object.fromEntries(rows.map(({ conversation_id, ids }) => [conversation_id, ids]))
}

import type { MessageQueue } from '@mono/message-queue'
import type { Hono } from 'hono'
import type { Pool } from 'pg'
import type { Work } from '../database.js'
import type { Session } from '../services/session.service.js'

/** A page is told this before anybody has logged in. */
export interface Page {
  /** Where browsers reach the broker. */
  realtimeUrls: string[]
  /** Null: browsers get no notifications. */
  vapidPublicKey: string | null
  links: { name: string; url: string }[]
}

/** The parts that all routes use. */
export interface Site {
  pool: Pool
  transact: <T>(run: (work: Work) => Promise<T>) => Promise<T>
  messageQueue: Pick<MessageQueue, 'connected'>
  /** PEM. */
  realtimeKey: string
  /** The broker's virtual host, where browsers hear their conversations too. */
  vhost: string
  publicOrigin: string | undefined
  page: Page
  renderMetrics(): Promise<{ contentType: string; text: string }>
  onError(error: unknown): void
}

export interface SiteEnv {
  Variables: { session: Session }
}

export type Routes = Hono<SiteEnv>

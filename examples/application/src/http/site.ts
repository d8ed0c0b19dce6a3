import type { MessageQueue } from '@mono/message-queue'
import type { Hono } from 'hono'
import type { Pool } from 'pg'
import type { Session } from '../data/sessions.js'
import type { Transact } from '../services/work.js'

/** The parts that all routes use. */
export interface Site {
  pool: Pool
  transact: Transact
  messageQueue: Pick<MessageQueue, 'connected'>
  /** PEM. */
  realtimeKey: string
  publicOrigin: string | undefined
  renderMetrics(): Promise<{ contentType: string; text: string }>
  onError(error: unknown): void
}

export interface SiteEnv {
  Variables: { session: Session }
}

export type Routes = Hono<SiteEnv>

import { generateKeyPairSync } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { TestDatabase } from '@mono/test-support'
import type { Pool } from 'pg'
import { inTransaction } from '../../src/database.js'
import { createSite } from '../../src/http/create-site.js'
import { createMetrics } from '../../src/metrics.js'
import { runMigrations } from '../../src/migrations.js'

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
})

const apps = new URL('../../../../apps/', import.meta.url)

const workers = ['chat', 'push', 'email', 'audit']

/** The workers' tables, from their own files: as their migrations make them, without a process for each. */
export async function createWorkerTables(database: TestDatabase, schemas = workers): Promise<void> {
  for (const schema of schemas) {
    const directory = new URL(`${schema}-worker/migrations/`, apps)
    const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort()
    const statements = await Promise.all(files.map((file) => readFile(new URL(file, directory), 'utf8')))
    await database.query([`CREATE SCHEMA ${schema}`, `SET LOCAL search_path TO ${schema}`, ...statements].join(';\n'))
  }
}

/** As grant-application.sh does in a deployment, for whoever owns all schemas. */
export async function letApplicationCount(database: TestDatabase): Promise<void> {
  const file = new URL('../../../../docker/postgres/ledger-outcomes.sql', import.meta.url)
  await database.query(await readFile(file, 'utf8'))
}

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: whatever the route answers
  body: any
}

export interface Visitor {
  csrfToken: string
  cookie: string
  get(path: string): Promise<Answer>
  /** As the site's own page does, unless told otherwise. */
  send(method: string, path: string, body: unknown, headers?: Record<string, string>): Promise<Answer>
}

export interface SiteUnderTest {
  /** The errors that nobody foresaw. */
  errors: unknown[]
  request(path: string, init?: RequestInit): Promise<Answer>
  logIn(tenantId: number, userId: string): Promise<Visitor>
}

/** The routes on a database with all schemas, without a relay: what is accepted waits in the outbox. */
export async function openSite(database: TestDatabase, pool: Pool = database.createPool()): Promise<SiteUnderTest> {
  await createWorkerTables(database)
  await runMigrations(database.url)
  return openSiteOn(pool)
}

export function openSiteOn(pool: Pool): SiteUnderTest {
  const errors: unknown[] = []
  const site = createSite({
    pool,
    transact: (run) => inTransaction(pool, run),
    messageQueue: { connected: false },
    realtimeKey: privateKey,
    vhost: 'mono',
    publicOrigin: undefined,
    page: { realtimeUrls: ['ws://127.0.0.1:15675/ws'], vapidPublicKey: null, links: [] },
    renderMetrics: createMetrics(pool).render,
    onError: (error) => void errors.push(error),
  })

  async function request(path: string, init: RequestInit = {}): Promise<Answer> {
    const response = await site.request(path, init)
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.includes('json') ?? false
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }

  return {
    errors,
    request,
    async logIn(tenantId, userId) {
      const { body, headers, status } = await request('/session', {
        method: 'POST',
        body: JSON.stringify({ tenantId, userId }),
      })
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`)
      const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';')
      const own = { cookie, 'x-csrf-token': body.csrfToken, origin: 'http://localhost' }
      return {
        csrfToken: body.csrfToken,
        cookie,
        get: (path) => request(path, { headers: { cookie } }),
        send: (method, path, json, headers = {}) =>
          request(path, { method, body: JSON.stringify(json), headers: { ...own, ...headers } }),
      }
    },
  }
}

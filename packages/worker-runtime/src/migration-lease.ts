import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { sleep } from '@mono/waiting'
import type pg from 'pg'
import type { RuntimeLogger } from './logger.js'

export interface MigrationLeaseOptions {
  client: pg.Client
  /** For a connection to renew it on, while the client is at work. */
  connect(): Promise<pg.Client>
  schema: string
  logger: RuntimeLogger
}

const leaseSeconds = 15
const renewEveryMs = 3000
const lookEveryMs = 500

/**
 * Who migrates the schema: one row, whose holder renews it. It goes to somebody else when its holder has given it back, or
 * has not renewed it for 15 seconds, by the database's clock. Unlike a session's lock it holds through any number of
 * transactions, and a pooler may give each of them another session.
 */
export class MigrationLease {
  readonly #options: MigrationLeaseOptions
  readonly #table: string
  readonly #holder = `${hostname()} ${process.pid} ${randomUUID()}`
  #renewing: { timer: NodeJS.Timeout; client: pg.Client } | undefined

  constructor(options: MigrationLeaseOptions) {
    this.#options = options
    this.#table = tableOf(options.schema)
  }

  static createTable(schema: string): string {
    const table = tableOf(schema)
    return `
      CREATE TABLE IF NOT EXISTS ${table} (
        id          integer     PRIMARY KEY CHECK (id = 1),
        holder      text        NOT NULL,
        lease_until timestamptz NOT NULL
      )`
  }

  /** Waits for its holder, and says so once. */
  async take(): Promise<void> {
    const { client, connect, logger, schema } = this.#options
    for (let tries = 0; !(await this.#tryTake()); tries += 1) {
      if (tries === 0) {
        const { rows } = await client.query(`SELECT holder, lease_until FROM ${this.#table}`)
        logger.info({ schema, lease: rows[0] }, 'Waiting for other migrations of this schema to end')
      }
      await sleep(lookEveryMs)
    }
    const renewer = await connect()
    const timer = setInterval(() => void this.#renew(renewer), renewEveryMs)
    this.#renewing = { timer, client: renewer }
  }

  /** Never rejects: what is not given back ends by itself. */
  async giveBack(): Promise<void> {
    const { client, timer } = this.#renewing ?? {}
    clearInterval(timer)
    const sql = `DELETE FROM ${this.#table} WHERE holder = $1`
    await this.#options.client.query(sql, [this.#holder]).catch(() => {})
    await client?.end().catch(() => {})
  }

  async #tryTake(): Promise<boolean> {
    const { rowCount } = await this.#options.client.query(
      `INSERT INTO ${this.#table} AS lease (id, holder, lease_until)
       VALUES (1, $1, clock_timestamp() + make_interval(secs => $2))
       ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, lease_until = excluded.lease_until
       WHERE lease.lease_until < clock_timestamp()`,
      [this.#holder, leaseSeconds],
    )
    return rowCount === 1
  }

  /** One that fails is made up for by the next. */
  async #renew(client: pg.Client): Promise<void> {
    await client
      .query(
        `UPDATE ${this.#table} SET lease_until = clock_timestamp() + make_interval(secs => $2) WHERE holder = $1`,
        [this.#holder, leaseSeconds],
      )
      .catch(() => {})
  }
}

function tableOf(schema: string): string {
  return `"${schema}".migration_lease`
}

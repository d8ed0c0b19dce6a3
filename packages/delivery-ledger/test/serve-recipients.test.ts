import { createRecordingLogger, createTcpProxy, type TestDatabase, test, waitFor } from '@mono/test-support'
import pg from 'pg'
import { describe, expect } from 'vitest'
import type { Claim, DeliveryLedger } from '../src/delivery-ledger.js'
import { serveRecipients } from '../src/serve-recipients.js'
import type { ServeResult } from '../src/serve-result.js'
import { openLedger } from './support/open-ledger.js'

const sent: ServeResult = { kind: 'sent' }
const addresses = (count: number) =>
  Array.from({ length: count }, (_, i) => `user-${String(i).padStart(3, '0')}@example.org`)
const ids = (count: number) => Array.from({ length: count }, (_, i) => String(i + 1))

interface ServeOptions {
  logger?: ReturnType<typeof createRecordingLogger>
  ledger: DeliveryLedger
  recipients: string[]
  serve: (claim: Claim) => Promise<ServeResult> | ServeResult
  signal?: AbortSignal
  concurrency?: number
}

function serve({ signal = new AbortController().signal, concurrency = 20, serve, ...options }: ServeOptions) {
  const { logger = createRecordingLogger() } = options
  return serveRecipients({
    ...options,
    message: { tenantId: 1, messageId: 'm-1' },
    signal,
    concurrency,
    logger,
    serve: async (claim) => serve(claim),
  })
}

const openPushLedger = (database: TestDatabase, options = {}) =>
  openLedger(database, { table: 'push.deliveries', ...options })

describe('a message with many recipients', () => {
  test('that three processes have at the same time is served to each recipient once', async ({ database }) => {
    const { open, ledger } = await openPushLedger(database)
    const recipients = ids(3000)
    const served: string[] = []
    const take = ({ recipient }: Claim) => {
      served.push(recipient)
      return sent
    }
    const outcomes = await Promise.allSettled([
      serve({ ledger: open(), recipients, serve: take }),
      serve({ ledger: open(), recipients: recipients.toReversed(), serve: take }),
      serve({ ledger: open(), recipients, serve: take }),
    ])
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ name: 'DeferError' })
    }
    expect(served).toHaveLength(3000)
    expect(new Set(served).size).toBe(3000)
    expect(await serve({ ledger, recipients, serve: take })).toEqual({ sent: 0, failed: 0, unknown: 0, already: 3000 })
  })

  test('has its leases renewed while it is served', async ({ database }) => {
    const { open, rows } = await openPushLedger(database)
    const findFirstEnd = async () => {
      const [row] = await database.query<{ end: string }>('SELECT min(lease_until)::text AS end FROM push.deliveries')
      return row?.end ?? ''
    }
    const waiting: (() => void)[] = []
    const serving = serve({
      ledger: open(3000),
      recipients: ids(150),
      concurrency: 150,
      serve: () =>
        new Promise((resolve) => {
          waiting.push(() => resolve(sent))
        }),
    })
    await waitFor(() => waiting.length === 150, { what: 'all to be under way' })
    const end = await findFirstEnd()
    await waitFor(async () => (await findFirstEnd()) > end, { what: 'every lease to be renewed' })
    for (const answer of waiting) answer()
    expect(await serving).toMatchObject({ sent: 150 })
    expect((await rows()).every(({ attempts }) => attempts === 1)).toBe(true)
  })
})

describe('what a provider answers', () => {
  const hostile = [
    '550 5.1.1 <ada@example.com>, zoë@müller.example: no\u0000 such\ud800 user\u001b[31m',
    ' id 4f1c9a2e-7d54-4c02-9b1e-2f3a4b5c6d7e,',
    ` see https://example.com/ada?u=ada%40example.com ${'0'.repeat(100_000)}`,
    '\r\nRCPT TO:<eve@example.com>',
  ].join('')
  const masked = '550 5.1.1 <[address]>, [address]: no such\ufffd user[31m id [token], see [url] [token]'
  const kinds = ['failed', 'retry', 'defer', 'unknown'] as const

  test.for(kinds)('is kept with the code of one who is %s: one line, short and masked', async (kind, { database }) => {
    const { ledger, rows } = await openLedger(database)
    const recipients = ['a', 'b', 'c']
    const answers: Record<string, ServeResult> = { b: { kind, code: 'X', reason: hostile }, c: { kind, code: 'X' } }
    await serve({ ledger, recipients, serve: ({ recipient }) => answers[recipient] ?? sent }).catch(() => undefined)
    expect(await rows()).toMatchObject([
      { recipient: 'a', state: 'sent', last_code: null, last_reason: null },
      { recipient: 'b', state: kind === 'defer' ? 'retry' : kind, last_code: 'X', last_reason: masked },
      { recipient: 'c', last_code: 'X', last_reason: null },
    ])
  })

  test('is told by the message that fails, also when another delivery of it was answered so', async ({ database }) => {
    const { ledger } = await openLedger(database)
    const failed: ServeResult = { kind: 'failed', code: 'SMTP_550', reason: hostile }
    const retry: ServeResult = { kind: 'retry', code: 'SMTP_451', reason: '451 later' }
    const first = serve({
      ledger,
      recipients: ['a', 'b'],
      serve: ({ recipient }) => (recipient === 'a' ? failed : retry),
    })
    await expect(first).rejects.toThrow('1 of 2 recipients could not be served: 1 SMTP_451. The first: 451 later')
    const second = serve({ ledger, recipients: ['a', 'b'], serve: () => ({ kind: 'failed', code: 'X' }) })
    await expect(second).rejects.toThrow(`All 2 recipients failed: 1 SMTP_550, 1 X. The first: ${masked}`)
  })

  test('is in one log line of the message that is done, whichever delivery was answered so', async ({ database }) => {
    const { ledger } = await openLedger(database)
    const recipients = addresses(300)
    const take = (result: ServeResult) => {
      const logger = createRecordingLogger()
      const answer = ({ recipient }: Claim) => (recipient < 'user-200' ? result : sent)
      return serve({ ledger, recipients, logger, serve: answer }).then(() => logger.lines)
    }
    const line = {
      level: 'info',
      data: { recipients: 300, unserved: 200, reason: `200 SMTP_550. The first: ${masked}` },
      message: 'Not every recipient was served',
    }
    expect(await take({ kind: 'failed', code: 'SMTP_550', reason: hostile })).toEqual([line])
    expect(await take(sent)).toEqual([line])
  })
})

describe('a database that goes away while recipients are served', () => {
  test('keeps nothing from being recorded once it is back, and nobody is served twice', async ({
    database,
    cleanUp,
  }) => {
    const proxy = await createTcpProxy({ target: database.url })
    cleanUp(() => proxy.close())
    const pool = new pg.Pool({ connectionString: proxy.url(database.url), connectionTimeoutMillis: 5000 })
    cleanUp(() => pool.end())
    // Without a listener a lost connection would end the process.
    pool.on('error', () => undefined)
    pool.on('connect', (client) => client.on('error', () => undefined))
    const { ledger, rows } = await openPushLedger(database, { pool })
    const served: string[] = []
    const serving = serve({
      ledger,
      recipients: ids(150),
      concurrency: 150,
      serve: async ({ recipient }) => {
        served.push(recipient)
        if (served.length === 150) await proxy.down()
        return sent
      },
    })
    await waitFor(() => served.length === 150, { what: 'all to be served' })
    await waitFor(() => pool.totalCount === 0, { what: 'the connections to be lost' })
    await proxy.up()
    const outcome = await serving.catch((error: unknown) => error)
    expect(await rows()).toHaveLength(150)
    expect((await rows()).every(({ state, attempts }) => state === 'sent' && attempts === 1)).toBe(true)
    expect(outcome).toEqual({ sent: 150, failed: 0, unknown: 0, already: 0 })
  })
})

describe('a process that is told to stop', () => {
  test('leaves what it has not sent to the others at once', async ({ database }) => {
    const { open } = await openPushLedger(database)
    const abort = new AbortController()
    const recipients = ids(150)
    const served: string[] = []
    const stopping = serve({
      ledger: open(),
      recipients,
      concurrency: 1,
      signal: abort.signal,
      serve: ({ recipient }) => {
        served.push(recipient)
        if (served.length === 40) abort.abort(new Error('The consumer was closed.'))
        return sent
      },
    })
    await expect(stopping).rejects.toThrow('The consumer was closed.')
    const take = ({ recipient, ambiguous }: Claim) => {
      served.push(recipient)
      expect(ambiguous).toBe(false)
      return sent
    }
    expect(await serve({ ledger: open(), recipients, serve: take })).toMatchObject({ sent: 110, already: 40 })
    expect(new Set(served).size).toBe(150)
    expect(served).toHaveLength(150)
  })
})

import { type TestDatabase, test } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { createContentDigest } from '../src/content-digest.js'
import { createDeliveryLedger } from '../src/create-delivery-ledger.js'
import type { Claim, RecipientResult } from '../src/delivery-ledger.js'
import { openLedger } from './support/open-ledger.js'

const message = { tenantId: 1, messageId: 'm-1' }

const addresses = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => `user-${String(from + i).padStart(5, '0')}@example.org`)

const recipientsOf = (claims: readonly Claim[]) => claims.map(({ recipient }) => recipient).sort()

const toResults = (claims: readonly Claim[], state: RecipientResult['state'], code?: string): RecipientResult[] =>
  claims.map(({ recipient, attempts }) => ({ recipient, attempts, state, code }))

describe('claim', () => {
  test('gives each recipient to one of eight processes that ask at the same time', async ({ database }) => {
    const { open } = await openLedger(database)
    const recipients = addresses(50)
    const claims = await Promise.all(
      Array.from({ length: 8 }, (_, i) => open().claim(message, i % 2 ? recipients : recipients.toReversed())),
    )
    expect(claims.flat()).toHaveLength(50)
    expect(recipientsOf(claims.flat())).toEqual(recipients)
  })

  test('says that a first claim is the first, and that nobody was written to before', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    expect(await ledger.claim(message, ['b', 'a'])).toEqual([
      { recipient: 'a', attempts: 1, ambiguous: false, reuses: 0 },
      { recipient: 'b', attempts: 1, ambiguous: false, reuses: 0 },
    ])
    expect(await rows()).toMatchObject([
      { recipient: 'a', state: 'sending', previous_state: null, attempts: 1, leased: true },
      { recipient: 'b', state: 'sending', leased: true },
    ])
  })

  test('takes a recipient who is named twice once', async ({ database }) => {
    const { ledger } = await openLedger(database)
    expect(recipientsOf(await ledger.claim(message, ['a', 'b', 'a', 'a']))).toEqual(['a', 'b'])
  })

  test('takes exactly those of a redelivered message who are to be tried again', async ({ database }) => {
    const { ledger } = await openLedger(database)
    const recipients = addresses(50)
    const claims = await ledger.claim(message, recipients)
    const results = [
      ...toResults(claims.slice(0, 30), 'sent'),
      ...toResults(claims.slice(30, 35), 'failed', 'SMTP_550'),
      ...toResults(claims.slice(35), 'retry', 'SMTP_451'),
    ]
    expect(await ledger.record(message, results)).toBe(50)
    const again = await ledger.claim(message, recipients)
    expect(recipientsOf(again)).toEqual(recipientsOf(claims.slice(35)))
    expect(again).toHaveLength(15)
    expect(again.every(({ attempts, ambiguous }) => attempts === 2 && !ambiguous)).toBe(true)
  })

  test('takes nothing of a process that has died until its lease is over, and then says so', async ({ database }) => {
    const { ledger, endLeases } = await openLedger(database)
    await ledger.claim(message, ['a', 'b'])
    expect(await ledger.claim(message, ['a', 'b'])).toEqual([])
    await endLeases()
    expect(await ledger.claim(message, ['a', 'b'])).toEqual([
      { recipient: 'a', attempts: 2, ambiguous: true, reuses: 0 },
      { recipient: 'b', attempts: 2, ambiguous: true, reuses: 0 },
    ])
  })

  test('holds for as long as it was told, by the clock of PostgreSQL', async ({ database }) => {
    const { open } = await openLedger(database)
    await open().claim(message, ['default'])
    await open(90_000).claim(message, ['told'])
    const leases = await database.query(
      'SELECT recipient, extract(epoch FROM lease_until - updated_at)::int AS seconds FROM email.deliveries ORDER BY 1',
    )
    expect(leases).toEqual([
      { recipient: 'default', seconds: 30 },
      { recipient: 'told', seconds: 90 },
    ])
  })

  test('takes those who have failed, or of whom nobody knows, in a replay only', async ({ database }) => {
    const { ledger } = await openLedger(database)
    const recipients = ['failed', 'leased', 'sent', 'unknown']
    const claims = await ledger.claim(message, recipients)
    const states = { failed: 'failed', sent: 'sent', unknown: 'unknown' } as const
    const results = claims.flatMap(({ recipient, attempts }) => {
      const state = states[recipient as keyof typeof states]
      return state ? [{ recipient, attempts, state }] : []
    })
    await ledger.record(message, results)
    expect(await ledger.claim(message, recipients)).toEqual([])
    const [row] = await database.query<{ now: Date }>("SELECT now() + interval '1 ms' AS now")
    const replay = { ...message, replayedAt: row?.now }
    const again = await ledger.claim(replay, recipients)
    expect(again).toEqual([
      { recipient: 'failed', attempts: 2, ambiguous: false, reuses: 0 },
      { recipient: 'unknown', attempts: 2, ambiguous: false, reuses: 0 },
    ])
    // What becomes of them in the replay is not for its next pass, but for the next replay.
    await ledger.record(replay, [...toResults(again.slice(0, 1), 'failed'), ...toResults(again.slice(1), 'unknown')])
    expect(await ledger.claim(replay, recipients)).toEqual([])
  })

  test('says who may have a mail from an earlier try, and not who has refused it', async ({ database }) => {
    const { ledger } = await openLedger(database)
    const recipients = ['free', 'refused', 'replayed', 'tried']
    const claims = await ledger.claim(message, recipients)
    expect(claims.every(({ provider }) => provider === undefined)).toBe(true)
    const states = { free: 'retry', refused: 'failed', replayed: 'unknown', tried: 'retry' } as const
    const results = claims.map(({ recipient, attempts }) => {
      const state = states[recipient as keyof typeof states]
      return { recipient, attempts, state, provider: recipient === 'free' ? undefined : 'mailgun' }
    })
    await ledger.record(message, results)
    const [row] = await database.query<{ now: Date }>("SELECT now() + interval '1 ms' AS now")
    const again = await ledger.claim({ ...message, replayedAt: row?.now }, recipients)
    expect(again.map(({ recipient, provider }) => [recipient, provider])).toEqual([
      ['free', undefined],
      ['refused', undefined],
      ['replayed', 'mailgun'],
      ['tried', 'mailgun'],
    ])
    // Nothing was sent meanwhile, so it is still true of whoever comes next.
    await ledger.release(message, again)
    expect((await ledger.claim(message, ['tried'])).map(({ provider }) => provider)).toEqual(['mailgun'])
  })

  test.for([
    ['retry', 'ECONNECTION', null, 'smtp'],
    ['retry', 'ESOCKET_ECONNRESET', 'The mail server had the whole mail, but its answer was lost (ECONNRESET)', 'smtp'],
    ['retry', 'ESOCKET_ECONNRESET', 'The mail server has closed the connection (ESOCKET_ECONNRESET)', undefined],
    ['retry', 'ESOCKET_ECONNREFUSED', null, undefined],
    ['retry', 'SMTP_451', null, undefined],
    ['failed', 'SMTP_550', null, undefined],
  ] as const)(
    'knows of a row from before there were several providers, %s with %s and %s, that %s may have the mail',
    async ([state, code, reason, provider], { database }) => {
      const { ledger } = await openLedger(database)
      await database.query(`
        INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts, last_code, last_reason, updated_at)
        VALUES (1, 'm-1', 'a', '${state}', 1, '${code}', ${reason === null ? 'NULL' : `'${reason}'`}, now() - interval '1 hour')`)
      const claims = await ledger.claim({ ...message, replayedAt: new Date() }, ['a'])
      expect(claims.map((claim) => claim.provider)).toEqual([provider])
    },
  )

  test('keeps tenants apart who use the same message id, and messages of one tenant', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    const other = { ...message, tenantId: Number.MAX_SAFE_INTEGER }
    const [claim] = await ledger.claim(message, ['a'])
    expect(await ledger.claim(other, ['a'])).toEqual([{ recipient: 'a', attempts: 1, ambiguous: false, reuses: 0 }])
    expect(await ledger.claim({ ...message, messageId: 'm-2' }, ['a'])).toHaveLength(1)
    expect(await ledger.record(message, toResults(claim ? [claim] : [], 'sent'))).toBe(1)
    expect((await ledger.read(other, ['a'])).get('a')).toEqual({ state: 'sending', leasedByOther: true })
    expect(await rows()).toMatchObject([
      { tenant_id: '1', message_id: 'm-1', state: 'sent' },
      { tenant_id: '1', message_id: 'm-2', state: 'sending' },
      { tenant_id: '9007199254740991', message_id: 'm-1', state: 'sending' },
    ])
  })

  test('takes recipients of a bigint column as strings and gives them back as such', async ({ database }) => {
    const { ledger } = await openLedger(database, { table: 'push.deliveries' })
    const claims = await ledger.claim(message, ['9223372036854775807', '10', '9'])
    // In the order of the numbers: every statement must lock in the same.
    expect(claims.map(({ recipient }) => recipient)).toEqual(['9', '10', '9223372036854775807'])
    expect(await ledger.renew(message, claims)).toHaveLength(3)
    expect(await ledger.record(message, toResults(claims, 'sent'))).toBe(3)
    expect([...(await ledger.read(message, ['9', '10', '11'])).keys()].sort()).toEqual(['10', '9'])
  })
})

describe('record', () => {
  test('stores what became of each, and ends the lease', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    await ledger.claim(message, ['a', 'b'])
    const count = await ledger.record(message, [
      { recipient: 'b', attempts: 1, state: 'failed', code: 'SMTP_550' },
      { recipient: 'a', attempts: 1, state: 'sent', providerId: '<1@example.org>' },
    ])
    expect(count).toBe(2)
    expect(await rows()).toMatchObject([
      { recipient: 'a', state: 'sent', provider_id: '<1@example.org>', last_code: null, leased: null },
      { recipient: 'b', state: 'failed', provider_id: null, last_code: 'SMTP_550', leased: null },
    ])
  })

  test('keeps the reason of what failed until the recipient is served', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    const record = async (state: RecipientResult['state'], cause: { code?: string; reason?: string }) => {
      const [claim] = await ledger.claim(message, ['a'])
      await ledger.record(message, [{ recipient: 'a', attempts: claim?.attempts ?? 0, state, ...cause }])
      return await rows()
    }
    const greylisted = { code: 'SMTP_451', reason: '451 greylisted' }
    expect(await record('retry', greylisted)).toMatchObject([{ last_code: 'SMTP_451', last_reason: '451 greylisted' }])
    expect(await record('retry', { code: 'ETIMEDOUT' })).toMatchObject([{ last_code: 'ETIMEDOUT', last_reason: null }])
    expect(await record('retry', greylisted)).toMatchObject([{ last_reason: '451 greylisted' }])
    expect(await record('sent', {})).toMatchObject([{ state: 'sent', last_code: null, last_reason: null }])
  })

  test('changes nothing for a process whose claim has passed to another', async ({ database }) => {
    const { ledger, endLeases, rows } = await openLedger(database)
    const stale = await ledger.claim(message, ['a'])
    await endLeases()
    const fresh = await ledger.claim(message, ['a'])
    expect(await ledger.record(message, toResults(stale, 'failed'))).toBe(0)
    expect(await rows()).toMatchObject([{ state: 'sending', attempts: 2, leased: true }])
    expect(await ledger.record(message, toResults(fresh, 'sent'))).toBe(1)
    expect(await rows()).toMatchObject([{ state: 'sent', attempts: 2 }])
  })

  test('counts a result that comes after the lease, if nobody has taken the recipient over', async ({ database }) => {
    const { ledger, endLeases } = await openLedger(database)
    const claims = await ledger.claim(message, ['a'])
    await endLeases()
    expect(await ledger.record(message, toResults(claims, 'sent'))).toBe(1)
  })

  test('does not overwrite what is final', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    const claims = await ledger.claim(message, ['a'])
    await ledger.record(message, toResults(claims, 'sent'))
    expect(await ledger.record(message, toResults(claims, 'retry'))).toBe(0)
    expect(await rows()).toMatchObject([{ state: 'sent' }])
  })

  test('is not stopped by what a provider answers', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    await ledger.claim(message, ['a', 'b', 'c'])
    const count = await ledger.record(message, [
      { recipient: 'a', attempts: 1, state: 'sent', providerId: 'nul \u0000 and \ud800' },
      { recipient: 'b', attempts: 1, state: 'failed', code: 'x'.repeat(100_000) },
      {
        recipient: 'c',
        attempts: 1,
        state: 'failed',
        code: 'X',
        reason: `nul \u0000 and \ud800 ${'x'.repeat(100_000)}`,
      },
    ])
    expect(count).toBe(3)
    expect(await rows()).toMatchObject([
      { provider_id: 'nul  and \ufffd' },
      { last_code: 'x'.repeat(1000) },
      { last_reason: `nul  and \ufffd ${'x'.repeat(989)}` },
    ])
  })
})

describe('renew', () => {
  test('starts the lease anew and names those who are still held', async ({ database }) => {
    const { ledger, endLeases } = await openLedger(database)
    const claims = await ledger.claim(message, ['done', 'lost', 'mine'])
    await ledger.record(
      message,
      toResults(
        claims.filter(({ recipient }) => recipient === 'done'),
        'sent',
      ),
    )
    await endLeases()
    await ledger.claim(message, ['lost'])
    expect(await ledger.renew(message, claims)).toEqual(['mine'])
    expect((await ledger.read(message, ['mine'])).get('mine')).toEqual({ state: 'sending', leasedByOther: true })
    expect(await ledger.claim(message, ['done', 'lost', 'mine'])).toEqual([])
  })
})

describe('release', () => {
  test('lets another process claim at once, without a doubt', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    const claims = await ledger.claim(message, ['a', 'b', 'c'])
    await ledger.release(message, [...claims.slice(0, 1), { recipient: 'b', attempts: 1, code: 'ORIGIN_CLOSED' }])
    expect(await rows()).toMatchObject([
      { recipient: 'a', state: 'retry', leased: null, last_code: null },
      { recipient: 'b', state: 'retry', leased: null, last_code: 'ORIGIN_CLOSED' },
      { recipient: 'c', state: 'sending', leased: true },
    ])
    expect(await ledger.claim(message, ['a', 'b', 'c'])).toEqual([
      { recipient: 'a', attempts: 2, ambiguous: false, reuses: 0 },
      { recipient: 'b', attempts: 2, ambiguous: false, reuses: 0 },
    ])
  })

  test('keeps the reason with its code', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    const release = async (cause: { code?: string; reason?: string }) => {
      const [claim] = await ledger.claim(message, ['a'])
      await ledger.release(message, [{ recipient: 'a', attempts: claim?.attempts ?? 0, ...cause }])
      return await rows()
    }
    const away = { last_code: 'ESOCKET', last_reason: 'The mail server is away' }
    expect(await release({ code: 'ESOCKET', reason: 'The mail server is away' })).toMatchObject([away])
    expect(await release({})).toMatchObject([away])
    expect(await release({ code: 'SMTP_SLOW' })).toMatchObject([{ last_code: 'SMTP_SLOW', last_reason: null }])
  })

  test('leaves the doubt about an earlier claim', async ({ database }) => {
    const { ledger, endLeases } = await openLedger(database)
    await ledger.claim(message, ['a'])
    await endLeases()
    await ledger.release(message, await ledger.claim(message, ['a']))
    expect((await ledger.read(message, ['a'])).get('a')).toEqual({ state: 'sending', leasedByOther: false })
    expect(await ledger.claim(message, ['a'])).toEqual([{ recipient: 'a', attempts: 3, ambiguous: true, reuses: 0 }])
  })

  test('gives back nothing that has passed to another, or is recorded', async ({ database }) => {
    const { ledger, endLeases, rows } = await openLedger(database)
    const claims = await ledger.claim(message, ['lost', 'sent'])
    await ledger.record(message, toResults(claims.slice(1), 'sent'))
    await endLeases()
    await ledger.claim(message, ['lost'])
    await ledger.release(message, claims)
    expect(await rows()).toMatchObject([
      { recipient: 'lost', state: 'sending', attempts: 2 },
      { recipient: 'sent', state: 'sent' },
    ])
  })
})

describe('read', () => {
  test('tells state, lease, last code and reason, and nothing of those who were never claimed', async ({
    database,
  }) => {
    const { ledger, endLeases } = await openLedger(database)
    const claims = await ledger.claim(message, ['dead', 'failed', 'sent'])
    await ledger.record(message, [
      { recipient: 'failed', attempts: 1, state: 'failed', code: 'SMTP_550', reason: '550 unknown' },
      ...toResults(claims.slice(2), 'sent'),
    ])
    await endLeases()
    await ledger.claim(message, ['leased'])
    expect(await ledger.read(message, ['dead', 'failed', 'leased', 'never', 'sent'])).toEqual(
      new Map([
        ['dead', { state: 'sending', leasedByOther: false }],
        ['failed', { state: 'failed', leasedByOther: false, lastCode: 'SMTP_550', lastReason: '550 unknown' }],
        ['leased', { state: 'sending', leasedByOther: true }],
        ['sent', { state: 'sent', leasedByOther: false }],
      ]),
    )
  })
})

describe('the ledger', () => {
  test('asks nothing when nobody is named', async ({ database }) => {
    const { ledger } = await openLedger(database)
    await database.query('DROP TABLE email.deliveries')
    expect(await ledger.claim(message, [])).toEqual([])
    expect(await ledger.record(message, [])).toBe(0)
    expect(await ledger.renew(message, [])).toEqual([])
    expect(await ledger.release(message, [])).toBeUndefined()
    expect(await ledger.read(message, [])).toEqual(new Map())
  })

  test('defers the message when the database cannot be asked', async ({ database }) => {
    const { ledger } = await openLedger(database)
    await database.query('DROP TABLE email.deliveries')
    for (const ask of [() => ledger.claim(message, ['a']), () => ledger.read(message, ['a'])]) {
      await expect(ask()).rejects.toMatchObject({ name: 'DeferError', code: 'DATABASE_UNAVAILABLE' })
    }
  })

  test('does not deadlock when processes claim, renew, record and release in each other’s way', async ({
    database,
  }) => {
    const { open, rows } = await openLedger(database)
    const recipients = addresses(100)
    const work = async (round: number): Promise<void> => {
      const ledger = open(1)
      const order = round % 2 ? recipients : recipients.toReversed()
      const claims = (await ledger.claim(message, order)).toReversed()
      await Promise.all([
        ledger.renew(message, claims.toReversed()),
        ledger.record(message, toResults(claims.slice(0, 40), 'retry')),
        ledger.release(message, claims.slice(40, 80)),
        ledger.claim(message, recipients),
      ])
    }
    // A deadlock (40P01) would reject.
    await Promise.all(
      Array.from({ length: 4 }, async (_, worker) => {
        for (let round = 0; round < 25; round++) await work(worker + round)
      }),
    )
    expect(await rows()).toHaveLength(100)
  })
})

describe('what is asked at the same time', () => {
  const other = { tenantId: 2, messageId: 'm-1' }

  test('is answered for each message by itself', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    const [claims, otherClaims] = await Promise.all([ledger.claim(message, ['b', 'a']), ledger.claim(other, ['a'])])
    expect([recipientsOf(claims), recipientsOf(otherClaims)]).toEqual([['a', 'b'], ['a']])
    expect(
      await Promise.all([
        ledger.record(message, [...toResults(claims, 'sent'), { recipient: 'c', attempts: 1, state: 'sent' }]),
        ledger.record(other, toResults(otherClaims, 'failed', 'SMTP_550')),
        ledger.record(other, [{ recipient: 'a', attempts: 7, state: 'sent' }]),
      ]),
    ).toEqual([2, 1, 0])
    expect(await rows()).toMatchObject([
      { tenant_id: '1', recipient: 'a', state: 'sent' },
      { tenant_id: '1', recipient: 'b', state: 'sent' },
      { tenant_id: '2', recipient: 'a', state: 'failed', last_code: 'SMTP_550' },
    ])
  })

  test('gives each recipient of a message that is there twice to one of the two', async ({ database }) => {
    const { ledger } = await openLedger(database)
    const [first, second] = await Promise.all([ledger.claim(message, ['a', 'b']), ledger.claim(message, ['b', 'c'])])
    expect([recipientsOf(first), recipientsOf(second)]).toEqual([['a', 'b'], ['c']])
  })

  test('goes to the database in one statement, and only a message that it refuses fails', async ({ database }) => {
    const pool = database.createPool()
    const { ledger } = await openLedger(database, { pool })
    let statements = 0
    const counting = { query: (sql: string, values: unknown[]) => pool.query(sql, values).finally(() => statements++) }
    const names = { table: 'email.deliveries', recipientColumn: 'recipient' } as const
    const counted = createDeliveryLedger({ ...names, pool: counting })
    const ids = Array.from({ length: 20 }, (_, i) => ({ ...message, messageId: `m-${i}` }))
    const claimed = await Promise.all(ids.map((id) => counted.claim(id, ['a'])))
    expect(claimed.every(([claim]) => claim?.recipient === 'a')).toBe(true)
    expect(statements).toBe(1)

    const zero = { ...message, messageId: 'zero \u0000' }
    const outcomes = await Promise.allSettled([ledger.claim(zero, ['a']), ledger.claim(other, ['b'])])
    expect(outcomes).toMatchObject([{ reason: { code: '22021' } }, { value: [{ recipient: 'b' }] }])
  })

  test('does not wait for another message whose row somebody has locked', async ({ database }) => {
    const { ledger } = await openLedger(database, { pool: database.createPool({ statement_timeout: 300 }) })
    const [claim] = await ledger.claim(message, ['a'])
    await ledger.record(message, toResults(claim ? [claim] : [], 'retry'))
    const holder = await database.createPool({ max: 1 }).connect()
    await holder.query("BEGIN; SELECT FROM email.deliveries WHERE recipient = 'a' FOR UPDATE")
    const outcomes = await Promise.allSettled([ledger.claim(message, ['a']), ledger.claim(other, ['b'])])
    expect(outcomes).toMatchObject([{ reason: { code: 'DATABASE_UNAVAILABLE' } }, { value: [{ recipient: 'b' }] }])
    await holder.query('COMMIT')
    holder.release()
  })
})

describe('the content of a message', () => {
  const withContent = (subject: string, more: object = {}) => ({
    ...message,
    content: createContentDigest({ subject, text: 'x' }),
    ...more,
  })
  const conflict = { name: 'PermanentError', code: 'ID_CONFLICT' }

  test('is kept, and another one under the same id is refused, naming what differs', async ({ database }) => {
    const { ledger, rows } = await openLedger(database)
    await ledger.claim(withContent('one'), ['a', 'b'])
    const claiming = ledger.claim(withContent('two'), ['a', 'c'])
    await expect(claiming).rejects.toMatchObject({ ...conflict, message: expect.stringMatching(/with other subject$/) })
    expect((await rows()).map(({ recipient }) => recipient)).toEqual(['a', 'b'])
  })

  test('is the same for further recipients, who are claimed', async ({ database }) => {
    const { ledger } = await openLedger(database)
    await ledger.record(message, toResults(await ledger.claim(withContent('one'), ['a']), 'sent'))
    expect(recipientsOf(await ledger.claim(withContent('one'), ['a', 'b']))).toEqual(['b'])
  })

  test('is not compared with rows that have none, and is kept from then on', async ({ database }) => {
    const { ledger } = await openLedger(database)
    await ledger.record(message, toResults(await ledger.claim(message, ['a']), 'retry'))
    expect(recipientsOf(await ledger.claim(withContent('one'), ['a']))).toEqual(['a'])
    await expect(ledger.claim(withContent('two'), ['a'])).rejects.toMatchObject(conflict)
  })

  test('counts in a replay too, until somebody takes the digest away', async ({ database }) => {
    const { ledger } = await openLedger(database)
    await ledger.record(message, toResults(await ledger.claim(withContent('one'), ['a', 'b']), 'failed'))
    const replayedAt = new Date(Date.now() + 60_000)
    await expect(ledger.claim(withContent('two', { replayedAt }), ['a'])).rejects.toMatchObject(conflict)
    expect(await ledger.claim(withContent('one', { replayedAt }), ['a'])).toHaveLength(1)
    await database.query('UPDATE email.deliveries SET digest = NULL')
    expect(await ledger.claim(withContent('two', { replayedAt }), ['b'])).toHaveLength(1)
  })

  test('of two that are claimed at once by two processes is one, for whichever recipients', async ({ database }) => {
    const { open, rows } = await openLedger(database, { pool: database.createPool({ max: 2 }) })
    for (let round = 0; round < 50; round++) {
      const messageId = `m-${round}`
      const [mine, others] = round % 2 ? [addresses(5), addresses(5, 10)] : [addresses(5), addresses(5, 3)]
      const outcomes = await Promise.allSettled([
        open().claim(withContent('one', { messageId }), mine),
        open().claim(withContent('two', { messageId }), others),
      ])
      const [won, ...alsoWon] = outcomes.filter(({ status }) => status === 'fulfilled')
      expect(alsoWon).toEqual([])
      expect(won).toMatchObject({ value: { length: 5 } })
      expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({ reason: conflict })
    }
    expect(await rows()).toHaveLength(250)
  })

  test('of two that one process claims at once is one, and the others beside them are claimed', async ({
    database,
  }) => {
    const { ledger } = await openLedger(database)
    const outcomes = await Promise.allSettled([
      ledger.claim(withContent('one'), ['a']),
      ledger.claim(withContent('two'), ['b']),
      ledger.claim(withContent('one'), ['c']),
      ledger.claim(withContent('two', { messageId: 'm-2' }), ['a']),
    ])
    expect(outcomes).toMatchObject([
      { value: [{ recipient: 'a' }] },
      { reason: conflict },
      { value: [{ recipient: 'c' }] },
      { value: [{ recipient: 'a' }] },
    ])
  })
})

describe('an id that was made of the content', () => {
  const derived = { ...message, derivedId: 'first', content: createContentDigest({ subject: 'one' }) } as const

  async function openWithRowsOf(database: TestDatabase, age: string) {
    const opened = await openLedger(database)
    const claims = await opened.ledger.claim(derived, ['failed', 'sent', 'unknown'])
    const states = { failed: 'failed', sent: 'sent', unknown: 'unknown' } as const
    await opened.ledger.record(
      derived,
      claims.map(({ recipient, attempts }) => ({
        recipient,
        attempts,
        state: states[recipient as keyof typeof states],
      })),
    )
    await database.query(`UPDATE email.deliveries SET updated_at = now() - interval '${age}'`)
    return opened
  }
  const all = ['failed', 'sent', 'unknown']

  test('is another message’s after a day', async ({ database }) => {
    const { ledger, rows } = await openWithRowsOf(database, '24 hours 1 second')
    const claims = await ledger.claim({ ...derived, derivedId: 'again' }, all)
    expect(claims).toEqual(all.map((recipient) => ({ recipient, attempts: 2, ambiguous: false, reuses: 1 })))
    expect(await ledger.claim(derived, all)).toEqual([])
    expect(await ledger.record(derived, toResults(claims, 'sent'))).toBe(3)
    expect(await ledger.claim(derived, all)).toEqual([])
    expect((await rows()).map(({ state }) => state)).toEqual(['sent', 'sent', 'sent'])
  })

  test('is the same message’s before', async ({ database }) => {
    const { ledger } = await openWithRowsOf(database, '23 hours 59 minutes')
    expect(await ledger.claim(derived, all)).toEqual([])
  })

  test('is the same message’s in a replay', async ({ database }) => {
    const { ledger } = await openWithRowsOf(database, '40 days')
    const replay = { ...derived, derivedId: 'again', replayedAt: new Date() } as const
    expect(recipientsOf(await ledger.claim(replay, all))).toEqual(['failed', 'unknown'])
  })

  test('is told from one that was given, which stays the same message’s', async ({ database }) => {
    const { ledger } = await openWithRowsOf(database, '40 days')
    const { derivedId, ...given } = derived
    expect(await ledger.claim(given, all)).toEqual([])
  })

  test('takes no lease that holds, and doubts no claim that was left a day ago', async ({ database }) => {
    const { ledger } = await openLedger(database)
    await ledger.claim(derived, ['a'])
    await database.query(`UPDATE email.deliveries SET updated_at = now() - interval '2 days'`)
    expect(await ledger.claim(derived, ['a'])).toEqual([])
    await database.query(`UPDATE email.deliveries SET lease_until = now() - interval '2 days'`)
    expect(await ledger.claim(derived, ['a'])).toMatchObject([{ ambiguous: false }])
  })
})

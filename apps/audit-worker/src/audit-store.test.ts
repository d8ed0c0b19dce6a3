import { DeferError, PermanentError, RetryableError } from '@mono/message-queue'
import { describe, expect, test } from 'vitest'
import { auditRow } from '../test/audit-row.js'
import { createAuditStore } from './audit-store.js'

const sqlError = (code: string) => Object.assign(new Error(`error ${code}`), { code })

/** Refuses any statement that holds one of the bad events, and remembers what each statement held. */
function databaseRefusing(badEventIds: string[], error: Error = sqlError('22P05')) {
  const statements: string[][] = []
  return {
    statements,
    async query(_sql: string, values: unknown[] = []) {
      const eventIds = values[1] as string[]
      statements.push(eventIds)
      if (badEventIds.some((id) => eventIds.includes(id))) throw error
      return { rows: [], rowCount: eventIds.length }
    },
  }
}

const rows = (count: number) => Array.from({ length: count }, (_, index) => auditRow({ eventId: String(index) }))

describe('recordBatch', () => {
  test('a batch without a fault takes one statement', async () => {
    const database = databaseRefusing([])
    expect(await createAuditStore(database).recordBatch(rows(500))).toEqual(new Map())
    expect(database.statements).toHaveLength(1)
  })

  test('refused events are found by halving, and every other event is recorded', async () => {
    const database = databaseRefusing(['0', '7', '250', '499'])
    const batch = rows(500)
    const refused = await createAuditStore(database).recordBatch(batch)
    expect(new Set(refused.keys())).toEqual(new Set([batch[0], batch[7], batch[250], batch[499]]))
    for (const error of refused.values()) {
      expect(error).toBeInstanceOf(PermanentError)
      expect(error).toMatchObject({
        code: 'INVALID_MESSAGE',
        message: 'PostgreSQL refused the event: error 22P05 (22P05)',
      })
    }
    const recorded = database.statements
      .filter((ids) => !ids.some((id) => ['0', '7', '250', '499'].includes(id)))
      .flat()
    expect(recorded.sort()).toEqual(
      batch
        .map(({ eventId }) => eventId)
        .filter((id) => !['0', '7', '250', '499'].includes(id))
        .sort(),
    )
  })

  test.each(['22003', '23505', '54000', '54001'])('an event refused with %s stands alone', async (code) => {
    const database = databaseRefusing(['7'], sqlError(code))
    const batch = rows(20)
    expect([...(await createAuditStore(database).recordBatch(batch)).keys()]).toEqual([batch[7]])
  })

  test('one bad event in 500 costs at most 18 more statements', async () => {
    const database = databaseRefusing(['123'])
    await createAuditStore(database).recordBatch(rows(500))
    expect(database.statements.length).toBeLessThanOrEqual(19)
  })

  test('a database that is away fails the whole batch, and no event is blamed', async () => {
    const database = databaseRefusing(['3'], sqlError('57P01'))
    const recording = createAuditStore(database).recordBatch(rows(10))
    await expect(recording).rejects.toBeInstanceOf(DeferError)
    expect(database.statements).toHaveLength(1)
  })

  test('an event that lost its way to a partition just attached is tried again', async () => {
    const recording = createAuditStore(databaseRefusing(['0'], sqlError('23514'))).recordBatch(rows(1))
    await expect(recording).rejects.toBeInstanceOf(RetryableError)
  })

  test('events too large for one statement are recorded by several', async () => {
    const database = databaseRefusing([])
    const changes = JSON.stringify({ text: 'x'.repeat(1_000_000) })
    await createAuditStore(database).recordBatch(rows(40).map((row) => ({ ...row, changes })))
    expect(database.statements.map((ids) => ids.length)).toEqual([16, 16, 8])
  })

  test('an empty batch asks the database nothing', async () => {
    const database = databaseRefusing([])
    expect(await createAuditStore(database).recordBatch([])).toEqual(new Map())
    expect(database.statements).toEqual([])
  })
})

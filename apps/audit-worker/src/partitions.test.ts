import { DeferError } from '@mono/message-queue'
import { createRecordingLogger } from '@mono/test-support'
import { describe, expect, test } from 'vitest'
import { toMonth } from './month.js'
import { createPartitions } from './partitions.js'

const now = () => new Date('2025-12-31T23:59:59.999Z')
const month = (text: string) => toMonth(new Date(`${text}-01T00:00:00Z`))
const sqlError = (code: string) => Object.assign(new Error(`error ${code}`), { code })

/** Remembers which partitions were asked for; fails with the errors given, one after the other. None is ever dropped. */
function setUp(...errors: (Error | undefined)[]) {
  const made: string[] = []
  const logger = createRecordingLogger()
  const database = {
    async query(sql: string, [names]: unknown[] = []) {
      const partition = /CREATE TABLE audit\.(\w+)/.exec(sql)?.[1]
      if (partition === undefined) {
        const rows = Array.isArray(names) ? names.map((name: string) => ({ name })) : []
        return { rows, rowCount: rows.length }
      }
      made.push(partition)
      const error = errors.shift()
      if (error) throw error
      return { rows: [], rowCount: 0 }
    },
  }
  return { made, lines: logger.lines, partitions: createPartitions({ database, logger, now }) }
}

describe('ensure', () => {
  test('makes the months of ten years back up to one month ahead, and no other', async () => {
    const { made, partitions } = setUp()
    await partitions.ensure(['1990-01', '2015-11', '2015-12', '2025-12', '2026-01', '2026-02', '2200-01'].map(month))
    expect(made).toEqual(['events_2015_12', 'events_2025_12', 'events_2026_01'])
  })

  test('asks for each month once, also when batches are handled side by side', async () => {
    const { made, partitions } = setUp()
    await Promise.all([partitions.ensure([month('2025-12'), month('2025-12')]), partitions.ensure([month('2025-12')])])
    await partitions.ensure([month('2025-12')])
    expect(made).toEqual(['events_2025_12'])
  })

  test('asks again after a failure', async () => {
    const { made, partitions } = setUp(sqlError('57P01'))
    await expect(partitions.ensure([month('2025-12')])).rejects.toBeInstanceOf(DeferError)
    await partitions.ensure([month('2025-12')])
    expect(made).toEqual(['events_2025_12', 'events_2025_12'])
  })

  test('a month whose first event comes just before its partition is attached is tried once more', async () => {
    const { made, lines, partitions } = setUp(sqlError('23514'))
    await partitions.ensure([month('2025-12')])
    expect([made.length, lines.length]).toEqual([2, 0])
  })

  test('a locked default partition defers the batch', async () => {
    const { partitions } = setUp(sqlError('55P03'))
    await expect(partitions.ensure([month('2025-12')])).rejects.toMatchObject({
      name: 'DeferError',
      code: 'DATABASE_UNAVAILABLE',
    })
  })

  test.each([
    ['MA002', 'what the default partition holds of it cannot be moved while others use the table'],
    ['MA001', 'the default partition holds more of it than is moved at once'],
    ['57014', 'it took too long to look through the default partition'],
    ['42P07', 'a table of that name exists and is not attached'],
    ['42P17', 'another partition covers a part of it'],
  ])('a month that cannot be attached (%s) is left to the default partition with one warning', async (code, reason) => {
    const { made, lines, partitions } = setUp(sqlError(code))
    await partitions.ensure([month('2025-12')])
    await partitions.ensure([month('2025-12')])
    expect(made).toHaveLength(1)
    expect(lines).toMatchObject([{ level: 'warn', data: { partition: 'events_2025_12', reason } }])
  })
})

describe('ensureDue', () => {
  test('makes this month and the next', async () => {
    const { made, partitions } = setUp()
    await partitions.ensureDue()
    expect(made).toEqual(['events_2025_12', 'events_2026_01'])
  })

  test('tries those again that were left to the default partition, and warns once', async () => {
    const { made, lines, partitions } = setUp(sqlError('42P07'), undefined, sqlError('42P07'), undefined)
    await partitions.ensureDue()
    await partitions.ensureDue()
    expect(made).toEqual(['events_2025_12', 'events_2026_01', 'events_2025_12', 'events_2026_01'])
    expect(lines).toHaveLength(1)
  })
})

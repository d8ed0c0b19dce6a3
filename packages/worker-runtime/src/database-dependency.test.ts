import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { recordLogs } from '../test/support/record-logs.js'
import { DatabaseDependency } from './database-dependency.js'
import type { DatabaseStatus } from './database-status.js'

const up: DatabaseStatus = { state: 'up' }
const down: DatabaseStatus = { state: 'down', error: 'connect ECONNREFUSED' }
const notMigrated: DatabaseStatus = { state: 'not migrated', error: 'run it' }

/** Answers the given results one after the other, then the last again and again. */
function create(...results: DatabaseStatus[]) {
  const logs = recordLogs()
  let checks = 0
  const check = async () => results[Math.min(checks++, results.length - 1)] ?? up
  return { logs, checks: () => checks, database: new DatabaseDependency({ check, logger: logs.logger }) }
}

const never = new AbortController().signal

beforeEach(() => {
  vi.useFakeTimers()
  // The longest of each delay that backs off.
  vi.spyOn(Math, 'random').mockReturnValue(1)
})

afterEach(() => {
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  vi.restoreAllMocks()
})

describe('untilUp', () => {
  test('resolves once the database is up and migrated, whatever came before', async () => {
    const { database, checks } = create(down, notMigrated, up)
    const waiting = database.untilUp(never)
    await vi.advanceTimersByTimeAsync(200 + 400)
    await waiting
    expect(database.status).toEqual(up)
    expect(checks()).toBe(3)
  })

  test('checks less and less often, but every three seconds', async () => {
    const { database, checks } = create(down)
    const abort = new AbortController()
    const waiting = database.untilUp(abort.signal).catch(() => {})
    await vi.advanceTimersByTimeAsync(0)
    for (const delayMs of [200, 400, 800, 1600, 3000, 3000, 3000]) {
      const before = checks()
      await vi.advanceTimersByTimeAsync(delayMs - 1)
      expect(checks()).toBe(before)
      await vi.advanceTimersByTimeAsync(1)
      expect(checks()).toBe(before + 1)
    }
    abort.abort()
    await waiting
  })

  test('rejects with the reason when it is aborted, also during a check, and checks no more', async () => {
    const { database, checks } = create(down)
    const abort = new AbortController()
    const waiting = database.untilUp(abort.signal)
    abort.abort(new Error('stopping'))
    await expect(waiting).rejects.toThrow('stopping')
    await expect(database.untilUp(abort.signal)).rejects.toThrow('stopping')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(checks()).toBe(1)
  })
})

describe('a probe', () => {
  test('rejects with the reason unless the database is up', async () => {
    const { database } = create(down, notMigrated, up)
    expect(database.status).toEqual({ state: 'unknown' })
    await expect(database.probe()).rejects.toThrow('connect ECONNREFUSED')
    expect(database.status).toEqual(down)
    await expect(database.probe()).rejects.toThrow('run it')
    expect(database.status).toEqual(notMigrated)
    await database.probe()
    expect(database.status).toEqual(up)
  })

  test('logs one line per change of state, not per probe', async () => {
    const { database, logs } = create(down, down, up, up, up, down)
    for (let n = 0; n < 6; n += 1) await database.probe().catch(() => {})
    expect(logs.records).toMatchObject([
      { level: 'warn', msg: 'Database cannot be reached', database: down },
      { level: 'info', msg: 'Database is up' },
      { level: 'warn', msg: 'Database cannot be reached' },
    ])
    expect(logs.records).toHaveLength(3)
  })

  test('says which command is missing when the database is not migrated', async () => {
    const { database, logs } = create(notMigrated)
    await expect(database.probe()).rejects.toThrow()
    expect(logs.records).toMatchObject([{ msg: 'Database is not migrated', database: { error: 'run it' } }])
  })
})

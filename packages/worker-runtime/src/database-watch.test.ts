import { test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { recordLogs } from '../test/support/record-logs.js'
import type { DatabaseStatus } from './database-status.js'
import { retryDelayMs, startDatabaseWatch } from './database-watch.js'

const up: DatabaseStatus = { state: 'up' }
const down: DatabaseStatus = { state: 'down', error: 'connect ECONNREFUSED' }
const notMigrated: DatabaseStatus = { state: 'not migrated', error: 'run it' }

/** Answers the given results one after the other, then the last again and again. */
function watch(...results: DatabaseStatus[]) {
  const logs = recordLogs()
  const changes: DatabaseStatus[] = []
  let looks = 0
  let closed = false
  const probe = {
    look: async () => results[Math.min(looks++, results.length - 1)] ?? up,
    close: async () => {
      closed = true
    },
  }
  return {
    logs,
    changes,
    looks: () => looks,
    closed: () => closed,
    watch: startDatabaseWatch({
      probe,
      logger: logs.logger,
      onChange: (status) => changes.push(status),
      intervalMs: 5,
    }),
  }
}

const never = new AbortController().signal

describe('retryDelayMs', () => {
  test('doubles from 200 ms to 3 s', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 100].map(retryDelayMs)).toEqual([200, 400, 800, 1600, 3000, 3000, 3000, 3000])
  })
})

describe('untilUp', () => {
  test('resolves once the database is up and migrated, whatever came before', async () => {
    const { watch: database } = watch(down, notMigrated, up)
    await database.untilUp(never)
    expect(database.status).toEqual(up)
    await database.untilUp(never)
    await database.stop()
  })

  test('rejects with the reason when it is aborted', async () => {
    const { watch: database } = watch(down)
    const abort = new AbortController()
    const waiting = database.untilUp(abort.signal)
    abort.abort(new Error('stopping'))
    await expect(waiting).rejects.toThrow('stopping')
    await expect(database.untilUp(abort.signal)).rejects.toThrow('stopping')
    await database.stop()
  })
})

describe('the watch', () => {
  test('goes on looking, so that a database that goes away and comes back is seen', async () => {
    const { watch: database } = watch(up, up, down, up)
    const seen = new Set<string>()
    await waitFor(() => seen.add(database.status.state).has('down') && database.status.state === 'up', {
      what: 'down, then up again',
      intervalMs: 1,
    })
    await database.stop()
  })

  test('logs one line per change of state, not per look, and tells of it', async () => {
    const { watch: database, logs, changes } = watch(down, down, up, up, up, down)
    await waitFor(() => logs.records.length === 3, { what: 'three changes' })
    expect(logs.records).toMatchObject([
      { level: 'warn', msg: 'Database cannot be reached', database: down },
      { level: 'info', msg: 'Database is up' },
      { level: 'warn', msg: 'Database cannot be reached' },
    ])
    await database.stop()
    expect(logs.records).toHaveLength(3)
    expect(changes).toEqual([down, up, down])
  })

  test('says which command is missing when the database is not migrated', async () => {
    const { watch: database, logs } = watch(notMigrated)
    await waitFor(() => logs.records.length > 0, { what: 'the log line' })
    expect(logs.records[0]).toMatchObject({ msg: 'Database is not migrated', database: { error: 'run it' } })
    await database.stop()
  })

  test('ends with stop, which closes the probe', async () => {
    const { watch: database, looks, closed } = watch(up)
    await waitFor(() => looks() > 3, { what: 'some looks', intervalMs: 1 })
    await database.stop()
    const atStop = looks()
    await new Promise((resolve) => setImmediate(resolve))
    expect(closed()).toBe(true)
    expect(looks()).toBe(atStop)
  })
})

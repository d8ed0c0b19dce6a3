import { describe, expect } from 'vitest'
import { test } from '../src/test.js'

describe('TestDatabase', () => {
  test("statements run on a database of the test's own", async ({ database }) => {
    await database.query('CREATE TABLE seen (id bigint)')
    await database.query('INSERT INTO seen VALUES ($1)', [1])
    expect(await database.query('SELECT id, current_database() FROM seen')).toEqual([
      { id: '1', current_database: database.name },
    ])
    expect(database.url).toContain(`/${database.name}`)
  })

  test('a pool of the fixture may be ended by the test, or left to the fixture', async ({ database }) => {
    const ended = database.createPool({ max: 1 })
    await ended.query('SELECT 1')
    await ended.end()
    await database.createPool({ max: 8 }).query('SELECT 1')
  })

  test('each test starts with an empty database', async ({ database }) => {
    expect(await database.query("SELECT FROM pg_tables WHERE schemaname = 'public'")).toEqual([])
  })
})

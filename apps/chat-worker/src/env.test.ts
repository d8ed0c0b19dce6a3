import { expect, test } from 'vitest'
import { readChatEnv, readMigrationEnv } from './env.js'

const required = { RABBITMQ_URL: 'amqp://a:b@localhost/mono', DATABASE_URL: 'postgres://a:b@localhost/mono' }

test('the defaults are those of the documentation', () => {
  expect(readChatEnv(required)).toMatchObject({ httpPort: 9101, topology: 'declare', consumerTimeoutMs: 1_800_000 })
})

test('what is missing is reported together', () => {
  expect(() => readChatEnv({})).toThrow(/2 faults:[\s\S]*DATABASE_URL[\s\S]*RABBITMQ_URL/)
})

test('migrations need the database only', () => {
  expect(readMigrationEnv({ DATABASE_URL: required.DATABASE_URL })).toMatchObject({
    databaseUrl: required.DATABASE_URL,
  })
})

test('a prefetch is refused with the reason', () => {
  expect(() => readChatEnv({ ...required, PREFETCH: '50' })).toThrow(
    /PREFETCH: expected nothing: the prefetch is a constant.*; found "50"/,
  )
})

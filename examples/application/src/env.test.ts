import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { readEnv, readMigrationEnv } from './env.js'

const given = {
  DATABASE_URL: 'postgres://localhost/mono',
  RABBITMQ_URL: 'amqp://localhost/mono',
  REALTIME_KEY_FILE: '/key.pem',
  REALTIME_URL: 'ws://localhost/ws, wss://example.com/ws',
}

test('what is not set has its default, and empty counts as not set', () => {
  expect(readEnv({ ...given, HTTP_PORT: '', PUBLIC_ORIGIN: '' })).toEqual({
    ...given,
    REALTIME_URL: ['ws://localhost/ws', 'wss://example.com/ws'],
    HTTP_PORT: 8080,
    LOG_LEVEL: 'info',
  })
})

test('every variable that does not fit is named, without its value', () => {
  const read = () =>
    readEnv({
      ...given,
      DATABASE_URL: 'mysql://hunter2@localhost',
      HTTP_PORT: 'hunter2',
      REALTIME_URL: 'http://hunter2',
    })
  expect(read).toThrow(/DATABASE_URL.*HTTP_PORT.*REALTIME_URL/s)
  expect(read).not.toThrow(/hunter2/)
})

test('a secret may stand in a file; the variable itself comes first', () => {
  const directory = mkdtempSync(join(tmpdir(), 'example-env-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'url')
  writeFileSync(file, 'postgres://file/mono\n')
  expect(readMigrationEnv({ DATABASE_URL_FILE: file })).toEqual({ DATABASE_URL: 'postgres://file/mono' })
  expect(readMigrationEnv({ DATABASE_URL_FILE: file, DATABASE_URL: given.DATABASE_URL })).toEqual({
    DATABASE_URL: given.DATABASE_URL,
  })
})

test('production refuses passwords of development, and a login without any unless that is allowed', () => {
  const production = { ...given, NODE_ENV: 'production', DEMO_LOGIN: 'allow' }
  const read = (changes: Record<string, string>) => () => readEnv({ ...production, ...changes })
  expect(read({})).not.toThrow()
  expect(read({ DEMO_LOGIN: '' })).toThrow(/expected `allow`.*at DEMO_LOGIN/s)
  const cluster = 'amqp://publisher:secret@a/mono, amqp://publisher:development@b/mono'
  expect(read({ RABBITMQ_URL: cluster })).toThrow(/a password of your own.*at RABBITMQ_URL/s)
  const database = 'postgres://example_application:admin123@db/mono'
  expect(read({ DATABASE_URL: database })).toThrow(/a password of your own.*at DATABASE_URL/s)
  expect(read({ DATABASE_URL: database })).not.toThrow(/admin123/)
})

test('elsewhere than in production both are taken', () => {
  expect(readEnv({ ...given, RABBITMQ_URL: 'amqp://admin:admin123@broker/mono' }).DEMO_LOGIN).toBeUndefined()
})

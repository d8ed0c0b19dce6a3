import { expect, test } from 'vitest'
import { readAuditEnv, readMigrationEnv } from './env.js'

const required = { RABBITMQ_URL: 'amqp://a:b@localhost/mono', DATABASE_URL: 'postgres://a:b@localhost/mono' }

test('the defaults are those of the documentation', () => {
  expect(readAuditEnv(required)).toMatchObject({ httpPort: 9104, prefetch: 1000, batchSize: 500, batchWaitMs: 200 })
})

test('the batch is set by AUDIT_BATCH_SIZE and AUDIT_BATCH_WAIT_MS', () => {
  const env = readAuditEnv({ ...required, AUDIT_BATCH_SIZE: '100', AUDIT_BATCH_WAIT_MS: '0', PREFETCH: '200' })
  expect(env).toMatchObject({ batchSize: 100, batchWaitMs: 0, prefetch: 200 })
})

test('a prefetch of less than two batches is a fault', () => {
  expect(() => readAuditEnv({ ...required, PREFETCH: '999' })).toThrow(
    'PREFETCH: expected at least 1000, twice AUDIT_BATCH_SIZE; found 999',
  )
  expect(() => readAuditEnv({ ...required, AUDIT_BATCH_SIZE: '501' })).toThrow(
    'PREFETCH: expected at least 1002, twice AUDIT_BATCH_SIZE; found 1000, the default',
  )
})

test('it is reported together with the other faults', () => {
  expect(() => readAuditEnv({ AUDIT_BATCH_SIZE: '600', AUDIT_BATCH_WAIT_MS: 'soon' })).toThrow(
    /4 faults:[\s\S]*DATABASE_URL[\s\S]*RABBITMQ_URL[\s\S]*AUDIT_BATCH_WAIT_MS[\s\S]*PREFETCH/,
  )
})

test('months are kept for ever, or as long as AUDIT_RETENTION_MONTHS says', () => {
  expect(readAuditEnv(required).retentionMonths).toBe(Number.POSITIVE_INFINITY)
  expect(readAuditEnv({ ...required, AUDIT_RETENTION_MONTHS: '' }).retentionMonths).toBe(Number.POSITIVE_INFINITY)
  expect(readAuditEnv({ ...required, AUDIT_RETENTION_MONTHS: '36' }).retentionMonths).toBe(36)
  for (const fault of ['0', '-1', '1.5', '1201', 'never']) {
    expect(() => readAuditEnv({ ...required, AUDIT_RETENTION_MONTHS: fault })).toThrow(
      'AUDIT_RETENTION_MONTHS: expected an integer from 1 to 1200',
    )
  }
})

test('a batch size that is none is one fault, not two', () => {
  expect(() => readAuditEnv({ ...required, AUDIT_BATCH_SIZE: '0' })).toThrow('1 fault:')
})

test('migrations need the database only', () => {
  expect(readMigrationEnv({ DATABASE_URL: required.DATABASE_URL })).toMatchObject({
    databaseUrl: required.DATABASE_URL,
  })
})

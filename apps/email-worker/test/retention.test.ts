import { migrate, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { emailEnvironment } from './email-environment.js'

test('two workers delete what was finished too many days ago, once, and keep the rest', async ({
  vhost,
  database,
  smtpSink,
  workers,
}) => {
  await migrate('email-worker', database.url)
  await database.query(
    `INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts, updated_at)
     SELECT 42, state || ' ' || days || ' ' || n, 'ada@example.com', state, 1, now() - days * interval '1 day'
     FROM unnest(ARRAY['sent', 'failed', 'unknown', 'retry']) AS state, unnest(ARRAY[6, 8]) AS days,
       generate_series(1, 600) AS n`,
  )
  const env = { ...emailEnvironment({ vhost, database, smtpSink }), LEDGER_RETENTION_DAYS: '7' }
  const both = [workers.spawn('email-worker', env), workers.spawn('email-worker', env)]
  await Promise.all(both.map((worker) => worker.ready()))
  const sumDeleted = async () => {
    const each = await Promise.all(both.map((worker) => worker.metric('mono_ledger_deleted_total')))
    return each.reduce((sum, deleted) => sum + deleted, 0)
  }
  await waitFor(async () => (await sumDeleted()) === 1800, { what: 'the old rows to be deleted', timeoutMs: 20_000 })
  const left = await database.query(
    `SELECT state, split_part(message_id, ' ', 2) AS days, count(*)::int FROM email.deliveries GROUP BY 1, 2 ORDER BY 1, 2`,
  )
  expect(left.map(({ state, days, count }) => `${count} ${state} ${days}`)).toEqual([
    '600 failed 6',
    '600 retry 6',
    '600 retry 8',
    '600 sent 6',
    '600 unknown 6',
  ])
  const deleting = both.flatMap(({ logs }) => logs.filter(({ msg }) => msg === 'Deleting old rows of the ledger'))
  expect(deleting).toMatchObject([{ table: 'email.deliveries', days: 7, rows: 1800, isEstimate: false }])
  await Promise.all(both.map((worker) => worker.terminate()))
})

import { readFile } from 'node:fs/promises'
import { examples } from '@mono/contracts'
import { createMessageQueue } from '@mono/message-queue'
import { describeUpgrade, migrate, test, waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { emailEnvironment } from './email-environment.js'
import { openFarEnds } from './failover/far-ends.js'
import { emailWorker } from './worker-under-test.js'

describeUpgrade(emailWorker, {
  from: new URL('upgrade/', import.meta.url),
  doneIds: "SELECT message_id AS id FROM email.deliveries WHERE state = 'sent'",
  async replay({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test' })
    cleanUp(() => messageQueue.close())
    await messageQueue.replayDeadLetters('email.notifications', { select: ({ code }) => code === 'EXPIRED' })
  },
})

test('addresses that the first release stored are those of today: nobody gets a mail twice, or one that was suppressed', async ({
  vhost,
  database,
  smtpSink,
  workers,
}) => {
  await database.query(await readFile(new URL('upgrade/database.sql', import.meta.url), 'utf8'))
  await database.query(`
    INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts, last_code) VALUES
      (42, 'spellings', 'ada@ｅxample.com', 'sent', 1, NULL),
      (42, 'spellings', 'ada@example.com', 'failed', 1, 'SMTP_550'),
      (42, 'spellings', 'eve@bücher.example', 'retry', 1, 'SMTP_451'),
      (42, 'spellings', 'jose\u0301@example.com', 'sent', 1, NULL),
      (42, 'spellings', 'bob@ｅxample.com', 'retry', 1, 'SMTP_451'),
      (42, 'spellings', 'éva@example.com', 'sent', 1, NULL)`)
  await database.query(`
    INSERT INTO email.suppressions VALUES
      (42, 'bob@ｅxample.com', 'bounced', '2026-01-02'), (42, 'bob@example.com', 'complained', '2026-01-03'),
      (42, 'info@bücher.example', 'unsubscribed', '2026-01-04'), (42, 'rene\u0301@example.com', 'bounced', '2026-01-05')`)
  await Promise.all([migrate('email-worker', database.url), migrate('email-worker', database.url)])
  expect(await database.query('SELECT address, reason FROM email.suppressions ORDER BY created_at')).toEqual([
    { address: 'bob@example.com', reason: 'bounced' },
    { address: 'info@xn--bcher-kva.example', reason: 'unsubscribed' },
    { address: 'ren\u00e9@example.com', reason: 'bounced' },
  ])

  const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
  await worker.ready()
  const to = ['Ada@ｅxample.com', 'ada@example.com', 'Eve@BÜCHER.example', 'bob@ｅxample.com', 'info@BÜCHER.example']
  const other = ['jos\u00e9@example.com', 'Éva@example.com', 'ren\u00e9@example.com', 'grace@example.com']
  const mail = { ...examples['email.message'], to: [...to, ...other] }
  for (let times = 1; times <= 2; times += 1) {
    await vhost.publish('notifications', 'email.send', mail, { messageId: 'spellings' })
    await waitFor(async () => (await worker.metric('mono_deliveries_total', { outcome: 'acked' })) === times, {
      what: 'the message to be acknowledged',
    })
  }
  await worker.terminate()
  // The sink tells a domain in its letters.
  expect(smtpSink.received.map((each) => each.to).sort()).toEqual([['Eve@bücher.example'], ['grace@example.com']])
  const rows = await database.query(
    `SELECT recipient, concat_ws(' ', state, last_code, last_reason) AS state FROM email.deliveries
     WHERE message_id = 'spellings' ORDER BY recipient COLLATE "C"`,
  )
  expect(rows.map(({ recipient, state }) => [recipient, state])).toEqual([
    ['ada@example.com', 'sent'],
    ['bob@example.com', 'failed SUPPRESSED'],
    ['eve@xn--bcher-kva.example', 'sent'],
    ['grace@example.com', 'sent'],
    ['info@xn--bcher-kva.example', 'failed SUPPRESSED'],
    ['jos\u00e9@example.com', 'sent'],
    ['ren\u00e9@example.com', 'failed SUPPRESSED'],
    ['éva@example.com', 'sent'],
  ])
})

test('what the first release has sent is sent by nobody, and what it may have sent by the mail server only', async ({
  vhost,
  database,
  workers,
  cleanUp,
}) => {
  await database.query(await readFile(new URL('upgrade/database.sql', import.meta.url), 'utf8'))
  await database.query(`
    INSERT INTO email.deliveries (tenant_id, message_id, recipient, state, attempts, lease_until, last_code) VALUES
      (42, 'providers', 'sent@example.com', 'sent', 1, NULL, NULL),
      (42, 'providers', 'refused@example.com', 'failed', 1, NULL, 'SMTP_550'),
      (42, 'providers', 'held@example.com', 'unknown', 1, NULL, 'ECONNECTION'),
      (42, 'providers', 'doubtful@example.com', 'retry', 1, NULL, 'ECONNECTION'),
      (42, 'providers', 'later@example.com', 'retry', 1, NULL, 'SMTP_451')`)
  await migrate('email-worker', database.url)
  const { smtpSink, mailgun, env } = await openFarEnds(cleanUp)
  const worker = workers.spawn('email-worker', {
    RABBITMQ_URL: vhost.url,
    DATABASE_URL: database.url,
    ...env,
    EMAIL_PROVIDERS: 'mailgun,smtp',
  })
  await worker.ready()
  const names = ['sent', 'refused', 'held', 'doubtful', 'later', 'new']
  const mail = { ...examples['email.message'], to: names.map((name) => `${name}@example.com`) }
  await vhost.publish('notifications', 'email.send', mail, { messageId: 'providers' })
  await waitFor(async () => (await worker.metric('mono_deliveries_total', { outcome: 'acked' })) === 1, {
    what: 'the message to be acknowledged',
  })
  await worker.terminate()
  expect([...smtpSink.counts()]).toEqual([['doubtful@example.com', 1]])
  expect(new Map(mailgun.counts())).toEqual(
    new Map([
      ['later@example.com', 1],
      ['new@example.com', 1],
    ]),
  )
  const rows = await database.query(
    `SELECT recipient, state, provider FROM email.deliveries WHERE message_id = 'providers' ORDER BY recipient`,
  )
  expect(rows.map(({ recipient, state, provider }) => [recipient, state, provider])).toEqual([
    ['doubtful@example.com', 'sent', 'smtp'],
    ['held@example.com', 'unknown', null],
    ['later@example.com', 'sent', 'mailgun'],
    ['new@example.com', 'sent', 'mailgun'],
    ['refused@example.com', 'failed', null],
    ['sent@example.com', 'sent', null],
  ])
})

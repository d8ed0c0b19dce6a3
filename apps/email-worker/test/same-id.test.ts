import { examples } from '@mono/contracts'
import { migrate, type TestDatabase, type TestVhost, test, waitFor } from '@mono/test-support'
import { describe, expect } from 'vitest'
import { emailEnvironment } from './email-environment.js'

test.beforeEach(async ({ database }) => {
  await migrate('email-worker', database.url)
})

const mail = { ...examples['email.message'], to: ['ada@example.com'] }

interface Published {
  body: object
  routingKey?: string
  messageId?: string
  headers?: Record<string, unknown>
}

const publish = (vhost: TestVhost, { body, routingKey = 'email.send', messageId, headers = {} }: Published) =>
  vhost.publish('notifications', routingKey, body, { headers, ...(messageId !== undefined && { messageId }) })

const countSent = async (database: TestDatabase) => {
  const sql = "SELECT count(*)::int FROM email.deliveries WHERE state = 'sent'"
  return (await database.query<{ count: number }>(sql))[0]?.count
}

describe('one id for two mails', () => {
  test('sends the first, and the others are dead-lettered and say what differs', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
    await worker.ready()
    await publish(vhost, { body: mail, messageId: 'one' })
    await waitFor(async () => (await countSent(database)) === 1, { what: 'the first mail' })

    const template = { ...examples['email.notification'], to: mail.to, template: 'notification', data: { body: 'x' } }
    const others = [
      { body: { ...mail, text: 'Another text' } },
      { body: { ...mail, to: ['eve@example.com'], subject: 'Another subject' } },
      { body: template, routingKey: 'email.template' },
    ]
    for (const other of others) await publish(vhost, { ...other, messageId: 'one' })
    const dead = await vhost.drainQueue('email.notifications.dlq', 3)
    expect(dead.map(({ headers }) => headers['x-failure-code'])).toEqual(Array(3).fill('ID_CONFLICT'))
    expect(dead.map(({ headers }) => headers['x-failure-message']).toSorted()).toEqual([
      expect.stringMatching(/with other data, subject, template, type$/),
      expect.stringMatching(/with other subject$/),
      expect.stringMatching(/with other text$/),
    ])
    expect(smtpSink.received).toHaveLength(1)
    await worker.terminate()
  })

  test('is one mail if they are written differently, and a further recipient gets it', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
    await worker.ready()
    await publish(vhost, { body: mail, messageId: 'one' })
    await waitFor(async () => (await countSent(database)) === 1, { what: 'the first mail' })
    const reversed = Object.fromEntries(Object.entries({ ...mail, later: 'unknown to us' }).toReversed())
    await publish(vhost, { body: { ...reversed, to: ['ada@example.com', 'eve@example.com'] }, messageId: 'one' })
    await waitFor(async () => (await countSent(database)) === 2, { what: 'the second recipient' })
    expect(smtpSink.received.map(({ to }) => to)).toEqual([['ada@example.com'], ['eve@example.com']])
    expect(await worker.metric('mono_dead_letters_total', { code: 'ID_CONFLICT' })).toBe(0)
    await worker.terminate()
  })
})

describe('two equal mails without an id', () => {
  test('are one mail for a day, which is said and counted, and two after 40 days', async ({
    vhost,
    database,
    smtpSink,
    workers,
  }) => {
    const worker = workers.spawn('email-worker', emailEnvironment({ vhost, database, smtpSink }))
    await worker.ready()
    await publish(vhost, { body: mail })
    await waitFor(async () => (await countSent(database)) === 1, { what: 'the first mail' })
    await publish(vhost, { body: mail })
    await waitFor(async () => (await worker.metric('mono_derived_id_merges_total')) === 1, { what: 'the merge' })
    expect(worker.logs).toContainEqual(expect.objectContaining({ level: 'warn', merged: 1 }))
    expect(smtpSink.received).toHaveLength(1)

    await database.query("UPDATE email.deliveries SET updated_at = now() - interval '40 days'")
    await publish(vhost, { body: mail })
    await waitFor(() => smtpSink.received.length === 2, { what: 'the mail of today' })
    const [first, second] = smtpSink.received
    expect(second).toMatchObject({ to: first?.to, subject: first?.subject })
    // A mailbox that has the first would keep the second back.
    expect(second?.messageId).not.toBe(first?.messageId)
    expect(await worker.metric('mono_derived_id_merges_total')).toBe(1)
    await worker.terminate()
  })
})

import { readFile } from 'node:fs/promises'
import { createDeliveryLedger } from '@mono/delivery-ledger'
import { createMessageQueue } from '@mono/message-queue'
import { describeUpgrade, migrate, test } from '@mono/test-support'
import { expect } from 'vitest'
import { pushWorker } from './worker-under-test.js'

describeUpgrade(pushWorker, {
  from: new URL('upgrade/', import.meta.url),
  doneIds: "SELECT message_id AS id FROM push.deliveries WHERE state = 'sent'",
  // The devices of then are at an address where nobody is any more.
  prepare: ({ database }) =>
    database.query("UPDATE push.devices SET disabled_at = now() WHERE created_at < now() - interval '1 minute'"),
  async replay({ vhost, cleanUp }) {
    const messageQueue = createMessageQueue({ url: vhost.url, connectionName: 'test' })
    cleanUp(() => messageQueue.close())
    await messageQueue.replayDeadLetters('push.notifications', { select: ({ code }) => code === 'EXPIRED' })
  },
})

test('what failed in the first release has no reason, and the first release records beside what has one', async ({
  database,
}) => {
  await database.query(await readFile(new URL('upgrade/database.sql', import.meta.url), 'utf8'))
  await database.query(`
    INSERT INTO push.deliveries (tenant_id, message_id, device_id, state, attempts, last_code)
    VALUES (42, 'old', 1, 'failed', 1, 'GONE')`)
  await migrate('push-worker', database.url)
  const ledger = createDeliveryLedger({
    pool: database.createPool(),
    table: 'push.deliveries',
    recipientColumn: 'device_id',
  })
  const read = (messageId: string) => ledger.read({ tenantId: 42, messageId }, ['1'])
  expect((await read('old')).get('1')).toEqual({ state: 'failed', leasedByOther: false, lastCode: 'GONE' })

  const message = { tenantId: 42, messageId: 'new' }
  await ledger.claim(message, ['1'])
  await ledger.record(message, [{ recipient: '1', attempts: 1, state: 'retry', code: 'X', reason: 'HTTP 500: no' }])
  expect((await read('new')).get('1')).toMatchObject({ lastCode: 'X', lastReason: 'HTTP 500: no' })
  await ledger.claim(message, ['1'])
  // As the first release does it.
  await database.query(`
    UPDATE push.deliveries
    SET state = 'sent', provider_id = NULL, last_code = NULL, lease_until = NULL, updated_at = now()
    WHERE tenant_id = 42 AND message_id = 'new' AND device_id = 1 AND attempts = 2 AND state = 'sending'`)
  expect((await read('new')).get('1')).toMatchObject({ state: 'sent' })
})

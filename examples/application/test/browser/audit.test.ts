import { waitFor } from '@mono/test-support'
import { expect } from 'vitest'
import { describePage, test } from './support/chromium-test.js'

const addEvents = `
  INSERT INTO audit.events (event_id, occurred_at, event_type, user_id, tenant_id, entity_type, entity_id, changes, routing_key)
  SELECT $1 || number, now() + $2::interval, 'PRICE_CHANGED', 'ada', 1, 'Product', 'one', '{}', ''
  FROM generate_series(1, 100) AS number`

describePage('the audit trail', () => {
  test('is waited for, until it tells of nothing any more that is as old', async ({ stage }) => {
    // Nobody records what is done here.
    const site = await stage({ workers: [] })
    const ada = await site.open('Ada')
    const audit = ada.region('Audit trail')
    const expectation = audit.getByText('1 event is on the way.')
    await site.query(addEvents, ['before', '-1 hour'])
    await ada.type('Hello')
    await expectation.waitFor()
    await audit.getByText('PRICE_CHANGED').first().waitFor()
    expect(await expectation.count()).toBe(1)
    await site.query(addEvents, ['after', '1 hour'])
    await audit.getByRole('button', { name: 'Refresh' }).click()
    await waitFor(async () => (await expectation.count()) === 0, { what: 'the event to be expected no more' })
  })
})

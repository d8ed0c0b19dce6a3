import { examples } from '@mono/contracts'
import { expect, test } from 'vitest'
import { receivedAuditEvent } from '../test/received-audit-event.js'
import { toAuditRow } from './audit-row.js'

test('the message id becomes the event id, and the routing key is kept', () => {
  const message = receivedAuditEvent({ messageId: 'a', routingKey: 'audit.compliance' })
  expect(toAuditRow(message)).toEqual({
    tenantId: 42,
    eventId: 'a',
    occurredAt: new Date('2025-04-01T09:30:00.250Z'),
    eventType: 'invoice.approved',
    userId: 'user-1',
    entityType: 'invoice',
    entityId: 'invoice-2025-0042',
    changes: '{"status":{"from":"open","to":"approved"}}',
    routingKey: 'audit.compliance',
  })
})

const toChanges = (changes: string) => {
  const bodyText = JSON.stringify({ ...examples['audit.event'], changes: 0 }).replace(
    '"changes":0',
    `"changes":${changes}`,
  )
  return toAuditRow(receivedAuditEvent({ bodyText })).changes
}

test('the changes are the text that was sent, with the digits of its numbers', () => {
  const sent = '{ "a": 9007199254740993, "b": [12345678901234567.89, 1.50, -0, 1e5], "c": "\\u00fc" }'
  expect(toChanges(sent)).toBe(sent)
})

test.each(['[]', '[ \n]'])('the empty list %j, which PHP writes for an empty object, is an empty object', (list) => {
  expect(toChanges(list)).toBe('{}')
})

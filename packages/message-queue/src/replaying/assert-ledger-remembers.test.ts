import { expect, test } from 'vitest'
import { assertLedgerRemembers } from './assert-ledger-remembers.js'

const now = new Date('2026-03-31T12:00:00Z')
const limit = { ledgerRetentionDays: 30, now }
const [before, after] = [new Date('2026-03-01T11:59:59Z'), new Date('2026-03-01T12:00:00Z')]

test.each(['push.notifications', 'email.notifications'] as const)('a dead letter of %s may be too old', (queue) => {
  expect(() => assertLedgerRemembers({ queue, diedAt: before }, limit)).toThrow(
    /^Expected a dead letter of the last 30 days.*found one of 2026-03-01T11:59:59.000Z.*with force/,
  )
  expect(() => assertLedgerRemembers({ queue, diedAt: after }, limit)).not.toThrow()
  expect(() => assertLedgerRemembers({ queue }, limit)).not.toThrow()
})

test.each(['chat.messages', 'audit.events'] as const)('one of %s may not: what is stored is kept', (queue) => {
  expect(() => assertLedgerRemembers({ queue, diedAt: before }, limit)).not.toThrow()
})

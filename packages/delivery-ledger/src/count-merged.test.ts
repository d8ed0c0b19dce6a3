import { expect, test } from 'vitest'
import { countMerged } from './count-merged.js'
import type { LedgerMessage, RecipientRecord } from './delivery-ledger.js'

const records = new Map<string, RecipientRecord>([
  ['mine', { state: 'sent', leasedByOther: false }],
  ['sent before', { state: 'sent', leasedByOther: false }],
  ['being served', { state: 'sending', leasedByOther: true }],
  ['left behind', { state: 'retry', leasedByOther: false }],
])
const mine = new Map([['mine', { kind: 'sent' } as const]])
const none = new Map()
const message = { tenantId: 1, messageId: 'sha256:0' }

test.each<[string, Partial<LedgerMessage>, typeof mine, number]>([
  ['a message with an id', {}, mine, 0],
  ['one without, at its first delivery', { derivedId: 'first' }, mine, 2],
  ['one without, that may find what itself has done', { derivedId: 'again' }, none, 0],
  ['a replay that serves somebody', { derivedId: 'again', replayedAt: new Date() }, mine, 0],
  ['a replay that serves nobody', { derivedId: 'again', replayedAt: new Date() }, none, 3],
])('%s leaves recipients to an equal one: %#', (_what, fields, results, merged) => {
  expect(countMerged({ message: { ...message, ...fields }, records, results })).toBe(merged)
})

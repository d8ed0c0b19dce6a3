import { expect, test } from 'vitest'
import { describeEmail, describeOutgoing, describePush, isSettled } from '../../public/words.js'

const push = { state: 'sent', devices: 3, disabled: 1, withoutDevice: 0, outcomes: [] } as const
const email = { state: 'sent', addresses: 2 } as const

test('each channel says what its ledger has, with the reason of what failed', () => {
  const outcomes = [
    { outcome: 'sent', count: 1 },
    { outcome: 'failed', count: 2, reason: 'GONE' },
    { outcome: 'hoarded', count: 1 },
  ]
  expect(describePush({ ...push, outcomes })).toEqual([
    'sent to 1 device',
    'failed for 2 devices: GONE',
    'hoarded 1 device',
  ])
  expect(describeEmail({ ...email, outcomes: [{ outcome: 'retry', count: 2, reason: 'X' }] })).toEqual([
    'will be retried for 2 addresses: X',
  ])
})

test('before the ledger has anything the page says how far a notification is', () => {
  expect(describePush({ ...push, state: 'waiting', outcomes: [] })).toEqual(['accepted, waiting for the broker'])
  expect(describePush({ ...push, outcomes: [] })).toEqual(['on its way to 2 devices'])
  expect(describePush({ ...push, outcomes: null })).toEqual(['handed to the broker'])
  expect(describePush({ ...push, devices: 0, disabled: 0, withoutDevice: 2, outcomes: [] })).toEqual([
    '2 people have no device that can be reached',
  ])
  expect(describeEmail(null)).toEqual(['not asked for'])
})

test('a notification is followed until every device and address has a final outcome', () => {
  const report = (of: object) => ({
    notificationId: 'n',
    title: '',
    push: { ...push, outcomes: [] },
    email: null,
    ...of,
  })
  const settled = [
    { outcome: 'sent', count: 1 },
    { outcome: 'failed', count: 1 },
  ]
  const sent = { ...push, outcomes: settled }
  expect(isSettled(report({ push: sent }))).toBe(true)
  expect(isSettled(report({ push: { ...push, state: 'refused' } }))).toBe(true)
  expect(isSettled(report({ push: { ...push, outcomes: null } }))).toBe(true)
  const open = [
    { push: { ...push, state: 'waiting' } },
    { push: { ...push, outcomes: [] } },
    { push: { ...push, outcomes: settled.slice(1) } },
    { push: { ...push, outcomes: [...settled, { outcome: 'retry', count: 1 }] } },
    { push: sent, email: { ...email, outcomes: [] } },
  ]
  expect(open.map((of) => isSettled(report(of)))).toEqual(open.map(() => false))
})

test('a message never claims more than is known of it', () => {
  const words = (state: Parameters<typeof describeOutgoing>[0]['state']) => describeOutgoing({ state, reason: 'why' })
  expect(words('waiting')).toBe('accepted, waiting for the broker')
  expect(words('sending')).toBe('sending')
  expect(words('not-accepted')).toBe('not accepted: why')
  for (const state of ['queued', 'sending', 'unknown'] as const) expect(words(state)).not.toMatch(/^accepted/)
})

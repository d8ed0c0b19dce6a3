import { expect, test } from 'vitest'
import { createPushCounts } from './push-counts.js'

const read = (counts: ReturnType<typeof createPushCounts>) =>
  counts.metrics.map(({ name, labelNames, read: readSamples }) => ({ name, labelNames, samples: readSamples() }))

test('each channel begins at zero', () => {
  expect(read(createPushCounts(['web', 'fcm']))).toEqual([
    {
      name: 'mono_push_outcomes_total',
      labelNames: ['channel', 'outcome', 'code'],
      samples: ['web', 'fcm'].map((channel) => ({ labels: { channel, outcome: 'sent', code: '' }, value: 0 })),
    },
    {
      name: 'mono_push_devices_disabled_total',
      labelNames: ['channel', 'reason'],
      samples: ['web', 'fcm'].map((channel) => ({ labels: { channel, reason: 'gone' }, value: 0 })),
    },
    { name: 'mono_push_reserved_keys_total', labelNames: undefined, samples: 0 },
  ])
})

test('what becomes of devices is counted by channel, outcome and code', () => {
  const counts = createPushCounts([])
  counts.settled('fcm', { kind: 'sent', providerId: 'x' })
  counts.settled('fcm', { kind: 'sent' })
  counts.settled('apns', { kind: 'failed', code: 'GONE' })
  counts.disabled('apns', 'gone')
  counts.reservedKeys(3)
  expect(read(counts).map(({ samples }) => samples)).toEqual([
    [
      { labels: { channel: 'fcm', outcome: 'sent', code: '' }, value: 2 },
      { labels: { channel: 'apns', outcome: 'failed', code: 'GONE' }, value: 1 },
    ],
    [{ labels: { channel: 'apns', reason: 'gone' }, value: 1 }],
    3,
  ])
})

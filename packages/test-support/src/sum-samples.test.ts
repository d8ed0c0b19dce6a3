import { expect, test } from 'vitest'
import { sumSamples } from './sum-samples.js'

const text = `# HELP mono_deliveries_total Deliveries settled
# TYPE mono_deliveries_total counter
mono_deliveries_total{queue="audit.events",outcome="acked",code="",worker="audit-worker"} 12
mono_deliveries_total{queue="audit.events",outcome="retried",code="UNCLASSIFIED",worker="audit-worker"} 2
mono_deliveries_total{queue="audit.events",outcome="retried",code="ID_CONFLICT",worker="audit-worker"} 1
mono_deliveries_total_created 5
mono_ready 1
`

test('samples are chosen by name and labels, and summed', () => {
  expect(sumSamples(text, 'mono_deliveries_total', { outcome: 'acked' })).toBe(12)
  expect(sumSamples(text, 'mono_deliveries_total', { outcome: 'retried', queue: 'audit.events' })).toBe(3)
  expect(sumSamples(text, 'mono_deliveries_total')).toBe(15)
  expect(sumSamples(text, 'mono_ready')).toBe(1)
})

test('a metric or label that is not there counts nothing', () => {
  expect(sumSamples(text, 'mono_missing')).toBe(0)
  expect(sumSamples(text, 'mono_deliveries_total', { outcome: 'ack' })).toBe(0)
})

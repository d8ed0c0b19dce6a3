import { describe, expect, test } from 'vitest'
import { createMetrics, type Metrics, type WatchedConsumer } from './metrics.js'

const settled = { queue: 'audit.events', attempt: 1, handlerMs: 20 } as const

async function linesOf(metrics: Metrics, name: string): Promise<string[]> {
  const { text } = await metrics.render()
  return text.split('\n').filter((line) => line.startsWith(name) && !line.startsWith('#'))
}

function create({ ready = true } = {}) {
  const metrics = createMetrics({ worker: 'audit-worker', isReady: () => ready })
  metrics.watchConsumer({ queue: 'audit.events', inFlight: 7, isActive: true, mode: 'normal', stalls: 0 })
  return metrics
}

describe('metrics', () => {
  test('count deliveries by queue, outcome and code', async () => {
    const metrics = create()
    metrics.onSettled({ ...settled, outcome: 'acked' })
    metrics.onSettled({ ...settled, outcome: 'acked' })
    metrics.onSettled({ ...settled, outcome: 'dead-lettered', code: 'INVALID_JSON', handlerMs: 0 })
    const lines = await linesOf(metrics, 'mono_deliveries_total')
    expect(lines).toContain(
      'mono_deliveries_total{queue="audit.events",outcome="acked",code="",worker="audit-worker"} 2',
    )
    expect(lines).toContain(
      'mono_deliveries_total{queue="audit.events",outcome="dead-lettered",code="INVALID_JSON",worker="audit-worker"} 1',
    )
  })

  test.each([
    ['retried', 'mono_retries_total'],
    ['deferred', 'mono_defers_total'],
    ['dead-lettered', 'mono_dead_letters_total'],
  ] as const)('count %s deliveries in %s', async (outcome, name) => {
    const metrics = create()
    metrics.onSettled({ ...settled, outcome, code: 'DATABASE_UNAVAILABLE' })
    expect(await linesOf(metrics, name)).toContain(
      `${name}{queue="audit.events",code="DATABASE_UNAVAILABLE",worker="audit-worker"} 1`,
    )
    for (const other of ['mono_retries_total', 'mono_defers_total', 'mono_dead_letters_total'].filter(
      (n) => n !== name,
    )) {
      expect((await linesOf(metrics, other)).every((line) => line.endsWith(' 0'))).toBe(true)
    }
  })

  test('show the counters of the queue at zero before anything happened', async () => {
    const metrics = create()
    expect(await linesOf(metrics, 'mono_dead_letters_total')).toEqual([
      'mono_dead_letters_total{queue="audit.events",code="",worker="audit-worker"} 0',
    ])
    for (const name of ['mono_handler_duration_seconds_count', 'mono_publish_to_done_seconds_count']) {
      expect(await linesOf(metrics, name)).toEqual([expect.stringMatching(/queue="audit\.events".* 0$/)])
    }
  })

  test('measure the handler in seconds, without what no handler saw', async () => {
    const metrics = create()
    metrics.onSettled({ ...settled, outcome: 'acked', handlerMs: 20 })
    metrics.onSettled({ ...settled, outcome: 'dead-lettered', code: 'INVALID_JSON', handlerMs: 0 })
    const [sum] = await linesOf(metrics, 'mono_handler_duration_seconds_sum')
    const [count] = await linesOf(metrics, 'mono_handler_duration_seconds_count')
    expect(sum).toMatch(/ 0\.02$/)
    expect(count).toMatch(/ 1$/)
  })

  test('measure from publishing to the ack only what was acked, never below zero', async () => {
    const metrics = create()
    metrics.onSettled({ ...settled, outcome: 'acked', sincePublishedMs: 1500 })
    metrics.onSettled({ ...settled, outcome: 'acked', sincePublishedMs: -40 })
    metrics.onSettled({ ...settled, outcome: 'acked' })
    metrics.onSettled({ ...settled, outcome: 'retried', code: 'UNCLASSIFIED', sincePublishedMs: 99_000 })
    expect((await linesOf(metrics, 'mono_publish_to_done_seconds_sum'))[0]).toMatch(/ 1\.5$/)
    expect((await linesOf(metrics, 'mono_publish_to_done_seconds_count'))[0]).toMatch(/ 2$/)
  })

  test.each([
    [true, 1],
    [false, 0],
  ])('show mono_ready when readiness is %s as %d', async (ready, value) => {
    expect(await linesOf(create({ ready }), 'mono_ready')).toEqual([`mono_ready{worker="audit-worker"} ${value}`])
  })

  test('show what is in flight at the time of the scrape', async () => {
    const metrics = createMetrics({ worker: 'w', isReady: () => true })
    const consumer: WatchedConsumer & { inFlight: number } = {
      queue: 'audit.events',
      inFlight: 1,
      isActive: true,
      mode: 'normal',
      stalls: 0,
    }
    metrics.watchConsumer(consumer)
    consumer.inFlight = 5
    expect(await linesOf(metrics, 'mono_in_flight')).toEqual(['mono_in_flight{queue="audit.events",worker="w"} 5'])
  })

  test.each([
    [true, 1],
    [false, 0],
  ])('show mono_active_consumer of a consumer whose isActive is %s as %d', async (isActive, value) => {
    const metrics = createMetrics({ worker: 'w', isReady: () => true })
    metrics.watchConsumer({ queue: 'chat.messages', inFlight: 0, isActive, mode: 'normal', stalls: 0 })
    expect(await linesOf(metrics, 'mono_active_consumer')).toEqual([
      `mono_active_consumer{queue="chat.messages",worker="w"} ${value}`,
    ])
  })

  test.each([
    ['first', 0],
    ['cautious', 1],
    ['trial', 0],
    ['normal', 0],
  ] as const)('show mono_cautious in mode %s as %d', async (mode, value) => {
    const metrics = createMetrics({ worker: 'w', isReady: () => true })
    metrics.watchConsumer({ queue: 'audit.events', inFlight: 0, isActive: true, mode, stalls: 3 })
    expect(await linesOf(metrics, 'mono_cautious')).toEqual([`mono_cautious{queue="audit.events",worker="w"} ${value}`])
  })

  test('count the stalls of the consumer, whatever the number of scrapes', async () => {
    const metrics = createMetrics({ worker: 'w', isReady: () => true })
    metrics.watchConsumer({ queue: 'audit.events', inFlight: 0, isActive: true, mode: 'normal', stalls: 3 })
    await metrics.render()
    expect(await linesOf(metrics, 'mono_consumer_stalls_total')).toEqual([
      'mono_consumer_stalls_total{queue="audit.events",worker="w"} 3',
    ])
  })

  test('show which breakers are open', async () => {
    const metrics = createMetrics({ worker: 'w', isReady: () => true })
    metrics.watchBreakers(() => ({ database: { state: 'closed' }, smtp: { state: 'open' } }))
    expect(await linesOf(metrics, 'mono_breaker_open')).toEqual([
      'mono_breaker_open{dependency="database",worker="w"} 0',
      'mono_breaker_open{dependency="smtp",worker="w"} 1',
    ])
  })

  test("show a worker's own number as it is at the scrape", async () => {
    const metrics = createMetrics({ worker: 'w', isReady: () => true })
    let number = 1
    metrics.watchOwn({ kind: 'gauge', name: 'mono_own', help: 'A number', read: () => number })
    expect(await linesOf(metrics, 'mono_own')).toEqual(['mono_own{worker="w"} 1'])
    number = 0
    expect(await linesOf(metrics, 'mono_own')).toEqual(['mono_own{worker="w"} 0'])
  })

  test("show a worker's own counter, as one", async () => {
    const metrics = createMetrics({ worker: 'w', isReady: () => true })
    let count = 0
    metrics.watchOwn({ kind: 'counter', name: 'mono_own_total', help: 'A count', read: () => count })
    expect(await linesOf(metrics, 'mono_own_total')).toEqual(['mono_own_total{worker="w"} 0'])
    count = 2
    expect(await linesOf(metrics, 'mono_own_total')).toEqual(['mono_own_total{worker="w"} 2'])
    expect((await metrics.render()).text).toContain('# TYPE mono_own_total counter')
  })

  test("show a worker's own numbers by their labels", async () => {
    const metrics = createMetrics({ worker: 'w', isReady: () => true })
    const samples = [{ labels: { channel: 'web' }, value: 1 }]
    for (const kind of ['counter', 'gauge'] as const) {
      metrics.watchOwn({ kind, name: `mono_${kind}`, help: 'By channel', labelNames: ['channel'], read: () => samples })
      expect(await linesOf(metrics, `mono_${kind}`)).toEqual([`mono_${kind}{channel="web",worker="w"} 1`])
    }
    samples.push({ labels: { channel: 'fcm' }, value: 0 })
    expect(await linesOf(metrics, 'mono_counter')).toHaveLength(2)
  })

  test('contain those of Node and of no other worker in the process', async () => {
    create().onSettled({ ...settled, outcome: 'acked' })
    const other = createMetrics({ worker: 'other', isReady: () => true })
    expect(await linesOf(other, 'nodejs_eventloop_lag_seconds')).not.toEqual([])
    expect((await other.render()).text).not.toContain('audit-worker')
  })
})

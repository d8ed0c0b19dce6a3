import type { Consumer, SettledEvent } from '@mono/message-queue'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { BreakerStatus } from './breaker.js'

const second = 1
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** A single insert takes milliseconds, a provider's API seconds, and the handler's time limit ends the scale. */
const handlerBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, minute]

/** From a waiting consumer to a message that sat in its queue for days; the steps between are the retry delays. */
const publishToDoneBuckets = [
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  15,
  minute,
  5 * minute,
  20 * minute,
  hour,
  6 * hour,
  day,
  7 * day,
]

export interface MetricsOptions {
  /** Becomes the label `worker` of every metric. */
  worker: string
  /** Read at each scrape. */
  isReady(): boolean
}

/** A number that only one worker has, or one for each value of its labels. */
export interface OwnMetric {
  /** A counter only grows, and begins at 0 with the process. */
  kind: 'counter' | 'gauge'
  name: string
  help: string
  /** The names of its labels, all of which each sample has. Default none. */
  labelNames?: readonly string[]
  /** Read at each scrape. */
  read(): number | readonly Sample[]
}

export interface Sample {
  labels: Readonly<Record<string, string>>
  value: number
}

export type WatchedConsumer = Pick<Consumer, 'queue' | 'inFlight' | 'isActive' | 'mode' | 'stalls'>

export interface Metrics {
  /** To be given to message-queue as `onSettled`. */
  onSettled(event: SettledEvent): void
  /** Makes the counters of the consumer's queue visible at zero, and shows what it has in flight and how it takes more. */
  watchConsumer(consumer: WatchedConsumer): void
  /** Shows which breakers are open, by the name of the dependency. */
  watchBreakers(read: () => Readonly<Record<string, BreakerStatus>>): void
  /** Shows a number of the worker's own. */
  watchOwn(metric: OwnMetric): void
  /** The Prometheus text format. */
  render(): Promise<{ contentType: string; text: string }>
}

const outcomes = [
  'acked',
  'retried',
  'deferred',
  'gave-way',
  'dead-lettered',
  'returned',
] as const satisfies SettledEvent['outcome'][]

/**
 * The metrics of one worker, in a registry of their own, all with the label `worker`:
 *
 * | name | kind | labels | meaning |
 * | --- | --- | --- | --- |
 * | `mono_deliveries_total` | counter | `queue`, `outcome`, `code` | deliveries settled, and those kept for another try; `code` is empty for `acked` and `gave-way` |
 * | `mono_handler_duration_seconds` | histogram | `queue` | time in the handler; deliveries refused before it do not count |
 * | `mono_publish_to_done_seconds` | histogram | `queue` | from publishing to the ack, retries and waiting included |
 * | `mono_in_flight` | gauge | `queue` | deliveries in flight |
 * | `mono_active_consumer` | gauge | `queue` | 1 while the broker delivers to this replica; of a queue that keeps its order, to it alone |
 * | `mono_cautious` | gauge | `queue` | 1 while deliveries are taken one at a time, because a process died over some |
 * | `mono_retries_total` | counter | `queue`, `code` | tried, failed, will be tried again |
 * | `mono_defers_total` | counter | `queue`, `code` | not tried, deferred without counting an attempt |
 * | `mono_dead_letters_total` | counter | `queue`, `code` | dead-lettered by this worker; what the broker dead-letters itself is not here |
 * | `mono_consumer_stalls_total` | counter | `queue` | messages waited, none was delivered, and the consumer registered again |
 * | `mono_breaker_open` | gauge | `dependency` | 1 while nothing is taken because of it |
 * | `mono_ready` | gauge | | 1 while `/readyz` answers 200 |
 *
 * and the default metrics of prom-client: `process_*`, `nodejs_*`.
 */
export function createMetrics({ worker, isReady }: MetricsOptions): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ worker })
  collectDefaultMetrics({ register: registry })
  const registers = [registry]

  const deliveries = new Counter({
    name: 'mono_deliveries_total',
    help: 'Deliveries settled or kept for another try, by outcome and failure code',
    labelNames: ['queue', 'outcome', 'code'],
    registers,
  })
  const handlerDuration = new Histogram({
    name: 'mono_handler_duration_seconds',
    help: 'Time spent in the handler',
    labelNames: ['queue'],
    buckets: handlerBuckets,
    registers,
  })
  const publishToDone = new Histogram({
    name: 'mono_publish_to_done_seconds',
    help: 'Time from publishing a message to its ack, retries and waiting included',
    labelNames: ['queue'],
    buckets: publishToDoneBuckets,
    registers,
  })
  const failures = {
    retried: createFailureCounter('mono_retries_total', 'Deliveries that failed and will be tried again', registers),
    deferred: createFailureCounter('mono_defers_total', 'Deliveries deferred without counting an attempt', registers),
    'dead-lettered': createFailureCounter(
      'mono_dead_letters_total',
      'Messages dead-lettered by this worker',
      registers,
    ),
  }
  const byOutcome: Partial<Record<SettledEvent['outcome'], Counter<'queue' | 'code'>>> = failures

  addGauge({ name: 'mono_ready', help: '1 while the worker is ready', read: () => Number(isReady()), registers })

  return {
    onSettled({ queue, outcome, code = '', handlerMs, sincePublishedMs }) {
      deliveries.inc({ queue, outcome, code })
      byOutcome[outcome]?.inc({ queue, code })
      if (outcome === 'acked' || handlerMs > 0) handlerDuration.observe({ queue }, handlerMs / 1000)
      // A publisher's clock may be ahead of ours.
      if (outcome === 'acked' && sincePublishedMs !== undefined) {
        publishToDone.observe({ queue }, Math.max(0, sincePublishedMs) / 1000)
      }
    },
    watchConsumer(consumer) {
      const { queue } = consumer
      for (const outcome of outcomes) deliveries.inc({ queue, outcome, code: '' }, 0)
      for (const counter of Object.values(failures)) counter.inc({ queue, code: '' }, 0)
      handlerDuration.zero({ queue })
      publishToDone.zero({ queue })
      const watch = (name: string, help: string, read: () => number) =>
        addGauge({ name, help, read, labels: { queue }, registers })
      watch('mono_in_flight', 'Deliveries in flight', () => consumer.inFlight)
      watch('mono_active_consumer', '1 while the broker delivers to this replica', () => Number(consumer.isActive))
      watch('mono_cautious', '1 while deliveries are taken one at a time, because a process died over some', () =>
        Number(consumer.mode === 'cautious'),
      )
      addCounter({
        name: 'mono_consumer_stalls_total',
        help: 'Messages waited, none was delivered, and the consumer registered again',
        read: () => consumer.stalls,
        labels: { queue },
        registers,
      })
    },
    watchBreakers(read) {
      new Gauge({
        name: 'mono_breaker_open',
        help: '1 while nothing is taken because of the dependency',
        labelNames: ['dependency'],
        registers,
        collect() {
          for (const [dependency, { state }] of Object.entries(read()))
            this.set({ dependency }, Number(state === 'open'))
        },
      })
    },
    watchOwn({ kind, ...metric }) {
      if (kind === 'gauge') addGauge({ ...metric, registers })
      else addCounter({ ...metric, registers })
    },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

interface ReadMetric extends Omit<OwnMetric, 'kind'> {
  /** The same for each sample. */
  labels?: Record<string, string>
  registers: Registry[]
}

function addGauge({ name, help, read, labels = {}, labelNames = [], registers }: ReadMetric): void {
  new Gauge({
    name,
    help,
    labelNames: [...Object.keys(labels), ...labelNames],
    registers,
    collect() {
      this.reset()
      for (const sample of toSamples(read())) this.set({ ...labels, ...sample.labels }, sample.value)
    },
  })
}

function addCounter({ name, help, read, labels = {}, labelNames = [], registers }: ReadMetric): void {
  new Counter({
    name,
    help,
    labelNames: [...Object.keys(labels), ...labelNames],
    registers,
    collect() {
      this.reset()
      for (const sample of toSamples(read())) this.inc({ ...labels, ...sample.labels }, sample.value)
    },
  })
}

function toSamples(read: ReturnType<OwnMetric['read']>): readonly Sample[] {
  return typeof read === 'number' ? [{ labels: {}, value: read }] : read
}

function createFailureCounter(name: string, help: string, registers: Registry[]): Counter<'queue' | 'code'> {
  return new Counter({ name, help, labelNames: ['queue', 'code'], registers })
}

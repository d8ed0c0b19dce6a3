import type { Pool } from 'pg'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { readOutboxState } from './outbox/index.js'

/** The outbox is looked at for each scrape; what cannot be known, because the database is away, is NaN. */
export function createMetrics(pool: Pool) {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers })
  const waiting = gauge('example_outbox_waiting', 'Messages that are to be sent')
  const lag = gauge('example_outbox_lag_seconds', 'How long the oldest message that is to be sent has waited')
  const passedOver = gauge('example_outbox_failed', 'Messages that are passed over')
  return {
    sent: new Counter({ name: 'example_outbox_sent_total', help: 'Messages sent', labelNames: ['type'], registers }),
    failed: new Counter({
      name: 'example_outbox_failed_total',
      help: 'Messages marked because they can never be sent as they are',
      labelNames: ['type', 'code'],
      registers,
    }),
    async render(): Promise<{ contentType: string; text: string }> {
      const state = await readOutboxState(pool).catch(() => undefined)
      waiting.set(state?.waiting ?? Number.NaN)
      lag.set(state?.lagSeconds ?? Number.NaN)
      passedOver.set(state?.failed ?? Number.NaN)
      return { contentType: registry.contentType, text: await registry.metrics() }
    },
  }
}

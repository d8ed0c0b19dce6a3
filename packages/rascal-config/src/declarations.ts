import type { BindingConfig, ExchangeConfig, QueueConfig } from './broker-config.js'
import type { BindingDefinition, ExchangeDefinition, QueueDefinition } from './topology-types.js'

/** What a connection does about an exchange: declare it, see that it exists, or merely know its name. */
export type ExchangeDuty = 'declare' | 'check' | 'know'

export function toExchangeConfigs(
  exchanges: readonly ExchangeDefinition[],
  dutyOf: (exchange: ExchangeDefinition) => ExchangeDuty,
): Record<string, ExchangeConfig> {
  return Object.fromEntries(
    exchanges.map((exchange) => {
      const duty = dutyOf(exchange)
      const options = { durable: exchange.durable, arguments: { ...exchange.arguments } }
      // Rascal declares whatever does not say `assert: false`.
      return [exchange.name, { type: exchange.type, assert: duty === 'declare', check: duty === 'check', options }]
    }),
  )
}

export function toQueueConfigs(queues: readonly QueueDefinition[]): Record<string, QueueConfig> {
  return Object.fromEntries(
    queues.map((queue) => {
      const options = { durable: queue.durable, arguments: { ...queue.arguments } }
      return [queue.name, { assert: true, options }]
    }),
  )
}

/** Keyed by a name that rascal does not take apart: it reads `a -> b` and `a[key] -> b` as definitions. */
export function toBindingConfigs(bindings: readonly BindingDefinition[]): Record<string, BindingConfig> {
  return Object.fromEntries(
    bindings.map(({ source, destination, bindingKey }) => [
      `${source}/${bindingKey}/${destination}`,
      { source, destination, destinationType: 'queue', bindingKey },
    ]),
  )
}

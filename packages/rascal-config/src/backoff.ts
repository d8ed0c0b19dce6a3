import type { BackoffConfig } from './broker-config.js'

/**
 * For connections and subscriptions alike: 100 ms doubling to 3 s, jittered by rascal. Rascal's own default grows to a
 * minute, and a strategy without `max` to 10^20 ms.
 */
export function createBackoff(): BackoffConfig {
  return { min: 100, max: 3000, factor: 2, strategy: 'exponential' }
}

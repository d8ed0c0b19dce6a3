import type { OwnMetric } from '@mono/worker-runtime'
import type { PacedProvider } from '../email-provider.js'

/** The providers that there are. The names are in the environment, the ledger, logs and metrics. */
export const providerNames = ['smtp', 'mailgun'] as const

export type ProviderName = (typeof providerNames)[number]

export interface NamedProvider {
  readonly name: ProviderName
  readonly provider: PacedProvider
  /** Metrics that no other provider has. */
  readonly metrics?: readonly OwnMetric[]
}

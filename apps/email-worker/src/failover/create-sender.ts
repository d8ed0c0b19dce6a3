import type { Logger } from '@mono/message-queue'
import type { OwnMetric } from '@mono/worker-runtime'
import type { EmailProvider } from '../email-provider.js'
import { createFailover } from './create-failover.js'
import { createHealthMetrics } from './create-health-metrics.js'
import { createOnlyProvider } from './create-only-provider.js'
import { createMailCounts } from './mail-counts.js'
import type { NamedProvider } from './named-provider.js'

export interface Sender {
  /** The dependency, in logs, metrics and `/readyz`: the only provider's name, or `providers`. */
  name: string
  provider: EmailProvider
  metrics: readonly OwnMetric[]
}

/** Sends mails by whoever is there, in this order. */
export function createSender(providers: readonly NamedProvider[], logger: Logger): Sender {
  const counts = createMailCounts(providers.map(({ name }) => name))
  const [first, ...others] = providers
  if (first === undefined) throw new TypeError('Expected a provider')
  if (others.length === 0) {
    const { name } = first
    return { name, provider: createOnlyProvider(first, { counts }), metrics: [counts.metric] }
  }
  const failover = createFailover({ providers, counts, logger })
  const metrics = [counts.metric, ...createHealthMetrics(failover.candidates)]
  return { name: 'providers', provider: failover, metrics }
}

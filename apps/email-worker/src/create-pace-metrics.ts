import type { OwnMetric } from '@mono/worker-runtime'
import type { PacedProvider } from './email-provider.js'

/** @param name `smtp` or `mailgun`, in the names of the metrics */
export function createPaceMetrics(
  name: string,
  provider: Pick<PacedProvider, 'concurrency' | 'pausedForMs'>,
): OwnMetric[] {
  const where = name === 'smtp' ? 'the mail server' : 'Mailgun'
  return [
    {
      kind: 'gauge',
      name: `mono_${name}_concurrency`,
      help: `Mails that may be on their way to ${where} at a time`,
      read: () => provider.concurrency,
    },
    {
      kind: 'gauge',
      name: `mono_${name}_paused_seconds`,
      help: `How long no mail is begun, because ${where} wants mails more slowly`,
      read: () => provider.pausedForMs / 1000,
    },
  ]
}

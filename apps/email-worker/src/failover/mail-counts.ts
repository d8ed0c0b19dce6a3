import { createTally, type OwnMetric } from '@mono/worker-runtime'
import type { MailOutcomeKind } from './mail-outcome.js'

/** Counts what providers have said of mails, for the metrics. */
export interface MailCounts {
  settled(provider: string, kind: MailOutcomeKind): void
  readonly metric: OwnMetric
}

const outcomes: Readonly<Record<MailOutcomeKind, string>> = {
  sent: 'sent',
  permanent: 'refused',
  transient: 'transient',
  provider: 'provider',
  unknown: 'unknown',
  moved: 'moved',
}

/** Each provider begins at zero, so that the first of something is a growth. */
export function createMailCounts(providers: readonly string[]): MailCounts {
  const tally = createTally(['provider', 'outcome'])
  for (const provider of providers) for (const outcome of Object.values(outcomes)) tally.add({ provider, outcome }, 0)
  return {
    settled: (provider, kind) => tally.add({ provider, outcome: outcomes[kind] }),
    metric: {
      kind: 'counter',
      name: 'mono_email_mails_total',
      help: 'What providers have said of mails, by provider and outcome; a mail that goes on to another counts at both',
      ...tally,
    },
  }
}

import type { OwnMetric, Sample } from '@mono/worker-runtime'
import { type Candidate, findNext } from './candidate.js'

/** Which of several providers mails go by. `place` is 1 for the one that is tried first. */
export function createHealthMetrics(candidates: readonly Candidate[]): OwnMetric[] {
  const ofEach = (read: (candidate: Candidate) => number) => (): Sample[] =>
    candidates.map((candidate, index) => ({
      labels: { provider: candidate.name, place: String(index + 1) },
      value: read(candidate),
    }))
  const labelNames = ['provider', 'place']
  return [
    {
      kind: 'gauge',
      name: 'mono_email_provider_in_use',
      help: '1 for the provider by which the next mail goes',
      labelNames,
      read: ofEach((candidate) => Number(findNext(candidates, { tried: new Set() }) === candidate)),
    },
    {
      kind: 'gauge',
      name: 'mono_email_provider_away_seconds',
      help: 'How long no mail has gone by the provider, because it cannot be used; 0 if it can',
      labelNames,
      read: ofEach(({ health }) => health.awayForMs / 1000),
    },
  ]
}

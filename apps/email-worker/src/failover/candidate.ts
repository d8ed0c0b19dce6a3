import type { NamedProvider } from './named-provider.js'
import type { ProviderHealth } from './provider-health.js'

export interface Candidate extends NamedProvider {
  readonly health: ProviderHealth
}

export interface MailSoFar {
  /** The providers that have tried the mail. */
  tried: ReadonlySet<Candidate>
  /** The provider that may have it from an earlier try. */
  only?: Candidate | undefined
}

const longPauseMs = 10_000

/** A provider that begins no mail soon comes after those that do. */
export function beginsSoon({ provider }: Candidate): boolean {
  return provider.pausedForMs <= longPauseMs
}

/**
 * Finds the provider that tries a mail next, of those in order. If one may have it, no other is asked. While none is well, a
 * trial is not of one mail only: the worker's breaker sees to how many come.
 */
export function findNext(candidates: readonly Candidate[], { tried, only }: MailSoFar): Candidate | undefined {
  const left = candidates.filter((each) => !tried.has(each) && (only === undefined || each === only))
  const open = left.filter(({ health }) => health.admits)
  const next = open.find(beginsSoon) ?? open[0]
  if (next) return next
  if (candidates.some(({ health }) => health.state === 'well')) return undefined
  return left.find(({ health }) => health.state === 'trial')
}

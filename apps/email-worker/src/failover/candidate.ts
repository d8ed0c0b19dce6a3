import type { NamedProvider } from './named-provider.js'
import type { ProviderHealth } from './provider-health.js'

export interface Candidate extends NamedProvider {
  readonly health: ProviderHealth
}

export interface MailSoFar {
  /** By whom the mail was tried. */
  tried: ReadonlySet<Candidate>
  /** The one who may have it from an earlier try. */
  only?: Candidate | undefined
}

const longPauseMs = 10_000

/** Whoever does not comes after those who do. */
export function beginsSoon({ provider }: Candidate): boolean {
  return provider.pausedForMs <= longPauseMs
}

/**
 * By whom a mail is tried next, of those in order. One who may have it is the only one who is asked. While nobody is well, a
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

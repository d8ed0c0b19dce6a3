import { SendError } from '../email-provider.js'
import type { Candidate } from './candidate.js'
import type { MailOutcome } from './mail-outcome.js'

/** The answers of the providers that have certainly not taken a mail. */
export type Refusals = ReadonlyMap<Candidate, Exclude<MailOutcome, { kind: 'sent' }>>

/**
 * Nobody has taken a mail that might have gone by any: it was refused for now if one has said so, else none can be used.
 * The words of all are in the message.
 */
export function toNotTaken(candidates: readonly Candidate[], refusals: Refusals): SendError {
  const outcomes = [...refusals.values()].filter((outcome) => outcome.kind !== 'moved')
  const told = outcomes.findLast(({ kind }) => kind === 'transient') ?? outcomes[0]
  const words = candidates.map((candidate) => `${candidate.name}: ${describe(candidate, refusals)}`)
  return new SendError(words.join('; '), {
    outcome: told?.kind === 'transient' ? 'transient' : 'provider',
    code: told?.error.code ?? 'PROVIDERS_AWAY',
    cause: told?.error,
  })
}

/** The one provider that may have the mail has not taken it now, or cannot be asked. Nobody else is. */
export function toNotTakenByOne(candidate: Candidate, refusals: Refusals): SendError {
  const outcome = refusals.get(candidate)
  if (outcome && outcome.kind !== 'moved') return outcome.error
  const { name } = candidate
  const message = `${name} may have the mail from an earlier try: ${describe(candidate, refusals)}`
  return new SendError(message, { outcome: 'provider', code: 'PROVIDER_AWAY' })
}

/** Why mails cannot go by any of them. */
export function describeAway(candidates: readonly Candidate[]): string {
  return candidates.map(({ name, health }) => `${name}: ${health.reason}`).join('; ')
}

function describe(candidate: Candidate, refusals: Refusals): string {
  const outcome = refusals.get(candidate)
  if (outcome && outcome.kind !== 'moved') return outcome.error.message
  return candidate.health.reason || 'it takes no more mails at the moment'
}

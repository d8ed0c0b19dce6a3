import type { Logger } from '@mono/message-queue'
import { settleWithin } from '@mono/waiting'
import type { EmailProvider, Envelope, Mail, SendReceipt } from '../email-provider.js'
import { beginsSoon, type Candidate, findNext } from './candidate.js'
import type { MailCounts } from './mail-counts.js'
import type { MailOutcome } from './mail-outcome.js'
import type { NamedProvider } from './named-provider.js'
import { describeAway, toNotTaken, toNotTakenByOne } from './not-taken.js'
import { ProviderHealth } from './provider-health.js'
import { sendBy } from './send-by.js'

export interface FailoverOptions {
  /** In the order of trying. */
  providers: readonly NamedProvider[]
  counts: Pick<MailCounts, 'settled'>
  logger: Logger
}

export interface Failover extends EmailProvider {
  readonly candidates: readonly Candidate[]
}

/** A probe says no by then, and goes on. */
const probeLimitMs = 5_000

/**
 * Several providers that look like one. A mail goes by the first that is well, and on to the next at once if the one before
 * certainly has not taken it:
 *
 * | the provider | the mail |
 * | --- | --- |
 * | has taken it, or refuses it for good | is done |
 * | may have taken it | is nobody else's |
 * | is away, or refuses it for now | is tried by the next |
 * | has not got it after ten seconds, goes away meanwhile, or begins no mail for so long | is tried by the next, if there is one |
 *
 * If none has taken it, it was refused for now if one of them has said so; else none of them can be used.
 */
export function createFailover({ providers, counts, logger }: FailoverOptions): Failover {
  const candidates = providers.map((each) => ({ ...each, health: new ProviderHealth({ ...each, logger }) }))
  return {
    candidates,
    get tookAt() {
      return Math.max(...providers.map(({ provider }) => provider.tookAt))
    },
    send: (mail, envelope, signal, { only } = {}) =>
      // A provider that is not configured any more cannot be asked. EMAIL_ON_UNKNOWN has decided that the mail is sent again.
      sendByOneOf(candidates, { mail, envelope, signal, counts, only: candidates.find(({ name }) => name === only) }),
    probe: () => probeAll(candidates),
    async close() {
      for (const { health } of candidates) health.stop()
      await Promise.all(providers.map(({ provider }) => provider.close()))
    },
  }
}

interface SendByOneOfOptions {
  mail: Mail
  envelope: Envelope
  signal: AbortSignal
  counts: Pick<MailCounts, 'settled'>
  only: Candidate | undefined
}

async function sendByOneOf(
  candidates: readonly Candidate[],
  { counts, only, ...options }: SendByOneOfOptions,
): Promise<SendReceipt> {
  const refusals = new Map<Candidate, Exclude<MailOutcome, { kind: 'sent' }>>()
  const next = (besides?: Candidate) => {
    const tried = new Set(refusals.keys())
    return findNext(candidates, { tried: besides ? tried.add(besides) : tried, only })
  }
  for (let candidate = next(); candidate !== undefined; candidate = next()) {
    const { name } = candidate
    const hasOther = () => {
      const other = next(candidate)
      return other !== undefined && beginsSoon(other)
    }
    const outcome = await visit(candidate, { ...options, hasOther })
    counts.settled(name, outcome.kind)
    if (outcome.kind === 'sent') return { ...outcome.receipt, provider: name }
    if (outcome.kind === 'permanent' || outcome.kind === 'unknown') throw outcome.error.by(name)
    refusals.set(candidate, outcome)
  }
  throw only ? toNotTakenByOne(only, refusals) : toNotTaken(candidates, refusals)
}

interface VisitOptions extends Omit<SendByOneOfOptions, 'counts' | 'only'> {
  hasOther: () => boolean
}

async function visit(candidate: Candidate, { signal, ...options }: VisitOptions): Promise<MailOutcome> {
  const { health } = candidate
  const begun = health.begin()
  try {
    const outcome = await sendBy(candidate, { ...options, signal, visit: begun })
    // A mail that was cut short by us shows nothing of the provider.
    if (signal.aborted && outcome.kind !== 'sent') health.forget(begun)
    else health.learn(begun, outcome, options.mail.to.address)
    return outcome
  } catch (error) {
    health.forget(begun)
    throw error
  }
}

/** @throws Error with the words of all if none of them answers */
async function probeAll(candidates: readonly Candidate[]): Promise<void> {
  if (candidates.some(({ health }) => health.state !== 'away')) return
  const probes = candidates.map(async ({ health }) => {
    await health.probeNow()
    if (health.state === 'away') throw new Error(health.reason)
  })
  try {
    const createError = () => new Error('The probes take long')
    await settleWithin(Promise.any(probes), { ms: probeLimitMs, createError })
  } catch (error) {
    throw new Error(describeAway(candidates), { cause: error })
  }
}

import { DeferError, PermanentError, RetryableError } from '@mono/message-queue'
import type { RecipientRecord } from './delivery-ledger.js'
import { describeFailures, type Failure } from './describe-failures.js'
import { isFinal } from './is-final.js'
import type { ServeResult } from './serve-result.js'

/** How many of a message's recipients ended in each final state. The counts add up to all of them. */
export interface ServeSummary {
  sent: number
  failed: number
  unknown: number
  /** They were final before this delivery of the message, or another process made them so. */
  already: number
}

export interface ServedMessage {
  recipients: readonly string[]
  /** The ledger's records of them, now that this process serves nobody any more. */
  records: ReadonlyMap<string, RecipientRecord>
  /** The results of those who were served during this delivery of the message. */
  results: ReadonlyMap<string, ServeResult>
  /** Those who had a turn when the message was there last, and then gave way. Default: nobody. */
  before?: ReadonlySet<string>
  /** Some of those wait without having been tried. */
  hasDeferred?: boolean
}

/**
 * Decides how a message's delivery is to be settled, once everybody who could be claimed has been served.
 *
 * @throws DeferError if somebody is being served by another process, or waits without having been tried
 * @throws RetryableError PROVIDER_UNAVAILABLE if nobody waits, and somebody was tried and is to be tried again
 * @throws PermanentError ALL_RECIPIENTS_FAILED if everybody has failed
 */
export function concludeMessage({ recipients, records, results, before, hasDeferred }: ServedMessage): ServeSummary {
  const summary = { sent: 0, failed: 0, unknown: 0, already: 0 }
  const failures: Failure[] = []
  const retries: Failure[] = []
  const deferrals: DeferResult[] = []
  let leased = 0
  let open = 0

  for (const recipient of recipients) {
    const record = records.get(recipient)
    const result = results.get(recipient)
    if (record && isFinal(record.state)) {
      if (record.state === 'failed') failures.push({ code: record.lastCode ?? 'no code', reason: record.lastReason })
      summary[result ? record.state : 'already'] += 1
    } else if (record?.leasedByOther) leased += 1
    else if (result?.kind === 'retry') retries.push(result)
    else if (result?.kind === 'defer') deferrals.push(result)
    else if (before?.has(recipient) && record?.state === 'retry' && record.lastCode !== undefined) {
      const failure = { code: record.lastCode, reason: record.lastReason }
      // It is not known which of them were tried. An attempt counts for all, so none is counted.
      // What they wait for was found out at another delivery: it says nothing of the provider as it is now.
      if (hasDeferred) deferrals.push({ kind: 'defer', ...failure, alone: true })
      else retries.push(failure)
    } else open += 1
  }

  const ofAll = `of ${recipients.length} recipients`
  const hasProgressed = summary.sent + summary.failed + summary.unknown > 0
  if (leased > 0) throw new DeferError(`Another process holds the lease of ${leased} ${ofAll}`, { hasProgressed })
  // Another process had claimed them and has released them.
  if (open > 0) throw new DeferError(`${open} ${ofAll} are still to be served`, { hasProgressed })
  if (deferrals.length > 0) throw toDeferError(deferrals, ofAll, hasProgressed)
  // This comes last because an attempt counts for the whole message: those who were never tried would lose theirs too.
  if (retries.length > 0) {
    const message = `${retries.length} ${ofAll} could not be served: ${describeFailures(retries)}`
    throw new RetryableError(message, { code: 'PROVIDER_UNAVAILABLE' })
  }
  if (failures.length > 0 && failures.length === recipients.length) {
    const message = `All ${recipients.length} recipients failed: ${describeFailures(failures)}`
    throw new PermanentError(message, { code: 'ALL_RECIPIENTS_FAILED' })
  }
  return summary
}

type DeferResult = Extract<ServeResult, { kind: 'defer' }>

/** The message comes back as soon as one of them can be served; without a delay that is after the queue's shortest. */
function toDeferError(deferrals: readonly DeferResult[], ofAll: string, hasProgressed: boolean): DeferError {
  const message = `${deferrals.length} ${ofAll} have to wait: ${describeFailures(deferrals)}`
  const delayMs = Math.min(...deferrals.map(({ delayMs = 0 }) => delayMs))
  // The code is counted against the provider.
  const isFault = deferrals.some(({ alone = false }) => !alone)
  return new DeferError(message, {
    ...(isFault && { code: 'PROVIDER_UNAVAILABLE' }),
    hasProgressed,
    ...(delayMs > 0 && { delayMs }),
  })
}

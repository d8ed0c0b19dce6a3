import { GiveWayError } from '@mono/message-queue'
import { concludeMessage, type ServeSummary } from './conclude-message.js'
import { countMerged } from './count-merged.js'
import type { RecipientRecord } from './delivery-ledger.js'
import { describeFailures } from './describe-failures.js'
import { isFinal } from './is-final.js'
import { formatResumePoint, parseResumePoint } from './resume-point.js'
import type { ServeRecipientsOptions } from './serve-recipients-options.js'
import type { ServeResult } from './serve-result.js'
import { ServeRun } from './serve-run.js'
import { toProgressed } from './to-progressed.js'

/**
 * Serves those of a message's recipients who have not been served and whom no other process is serving, each of them
 * once as far as the ledger can tell. Then looks at those whom another process may have served. While the database is
 * away nothing is sent.
 *
 * Resolves when everybody is final; the message can be acknowledged.
 *
 * @throws PermanentError ID_CONFLICT if another content has the message's id; nobody is served then
 * @throws GiveWayError if it has served its share and others may wait, or for a minute
 * @throws DeferError if another process is serving somebody, or somebody waits without having been tried
 * @throws RetryableError PROVIDER_UNAVAILABLE if nobody waits, and somebody was tried and is to be tried again
 * @throws PermanentError ALL_RECIPIENTS_FAILED if everybody has failed
 * @throws DeferError or RetryableError DATABASE_UNAVAILABLE if the ledger could not be asked
 * @throws the signal's reason when it is aborted; claims under which nothing was sent have been released
 */
export async function serveRecipients(options: ServeRecipientsOptions): Promise<ServeSummary> {
  const { ledger, message, resumeAt, ...rest } = options
  const recipients = [...new Set(options.recipients)]
  const begin = parseResumePoint(resumeAt)
  const run = new ServeRun({ ...rest, ledger, message, recipients, firstIndex: begin.index })
  const { results, isRecorded, hasProgressed, nextIndex } = await run.run()
  // When this run has claimed and recorded everybody, the ledger can say nothing else.
  const isKnown = isRecorded && results.size === recipients.length
  const records = isKnown ? toRecipientRecords(results) : await readRecords()
  const merged = countMerged({ message, records, results })
  if (merged > 0) {
    const data = { recipients: recipients.length, merged }
    options.logger.warn(data, 'The message has no id, and an equal one of the last 24 hours was taken for the same')
    options.onMerged?.()
  }
  if (nextIndex !== undefined) {
    const turns = recipients.slice(begin.index, nextIndex)
    const hasDeferred = begin.hasDeferred || turns.some((each) => isPassedOver(results.get(each), records.get(each)))
    throw new GiveWayError(`${nextIndex} of ${recipients.length} recipients have had their turn; others go first`, {
      resumeAt: formatResumePoint({ index: nextIndex, hasDeferred }),
      hasProgressed,
    })
  }
  const summary = concludeMessage({ recipients, records, results, begin })
  const unserved = [...records.values()].filter(({ state }) => state === 'failed' || state === 'unknown')
  if (unserved.length > 0) {
    const reason = describeFailures(
      unserved.map(({ lastCode: code = 'no code', lastReason }) => ({ code, reason: lastReason })),
    )
    options.logger.info(
      { recipients: recipients.length, unserved: unserved.length, reason },
      'Not every recipient was served',
    )
  }
  return summary

  async function readRecords() {
    try {
      return await ledger.read(message, recipients)
    } catch (error) {
      throw hasProgressed ? toProgressed(error) : error
    }
  }
}

/**
 * It waits without having been tried: deferred, or held by another process, which may give it back with the code of a try
 * that was counted before.
 */
function isPassedOver(result: ServeResult | undefined, record: RecipientRecord | undefined): boolean {
  if (result) return result.kind === 'defer'
  return record === undefined || !isFinal(record.state)
}

function toRecipientRecords(results: ReadonlyMap<string, ServeResult>): Map<string, RecipientRecord> {
  return new Map([...results].map(([recipient, result]) => [recipient, toRecipientRecord(result)]))
}

function toRecipientRecord(result: ServeResult): RecipientRecord {
  if (result.kind === 'sent') return { state: 'sent', leasedByOther: false }
  const state = result.kind === 'defer' ? 'retry' : result.kind
  return { state, leasedByOther: false, lastCode: result.code, lastReason: result.reason }
}

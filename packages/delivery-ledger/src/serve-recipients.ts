import { GiveWayError } from '@mono/message-queue'
import { concludeMessage, type ServeSummary } from './conclude-message.js'
import { countMerged } from './count-merged.js'
import type { RecipientRecord } from './delivery-ledger.js'
import { describeFailures } from './describe-failures.js'
import { isFinal } from './is-final.js'
import { splitIntoGroups } from './recipient-groups.js'
import { formatResumePoint, parseResumePoint } from './resume-point.js'
import type { ServeRecipientsOptions } from './serve-recipients-options.js'
import type { ServeResult } from './serve-result.js'
import { ServeRun, type ServeRunOutcome } from './serve-run.js'
import { ServeShare } from './serve-share.js'
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
  const { ledger, message, resumeAt, groupOf, othersMayWait = () => false, onMerged, ...rest } = options
  const recipients = [...new Set(options.recipients)]
  const { indexes, hasDeferred } = parseResumePoint(resumeAt)
  const groups = splitIntoGroups(recipients, groupOf).map((group) => ({
    ...group,
    firstIndex: indexes.get(group.name) ?? 0,
  }))
  const share = new ServeShare({ othersMayWait, onEnd: () => giveWay(runs) })
  const runs = groups.map((group) => new ServeRun({ ...rest, ...group, ledger, message, share }))
  const outcomes = await runAll(runs, share)
  const hasProgressed = runs.some((run) => run.hasProgressed)
  const results = new Map(outcomes.flatMap((outcome) => [...outcome.results]))
  // When this run has claimed and recorded everybody, the ledger can say nothing else.
  const isKnown = outcomes.every(({ isRecorded }) => isRecorded) && results.size === recipients.length
  const records = isKnown ? toRecipientRecords(results) : await readRecords()
  const merged = countMerged({ message, records, results })
  if (merged > 0) {
    const data = { recipients: recipients.length, merged }
    options.logger.warn(data, 'The message has no id, and an equal one of the last 24 hours was taken for the same')
    onMerged?.()
  }
  if (outcomes.some(({ givesWay }) => givesWay)) throw toGiveWay()
  const before = new Set(groups.flatMap((group) => group.recipients.slice(0, group.firstIndex)))
  const summary = concludeMessage({ recipients, records, results, before, hasDeferred })
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

  function toGiveWay(): GiveWayError {
    const turns = groups.map((group, index) => ({ ...group, nextIndex: outcomes[index]?.nextIndex ?? 0 }))
    const count = turns.reduce((sum, { nextIndex }) => sum + nextIndex, 0)
    const hadTurn = turns.flatMap((group) => group.recipients.slice(group.firstIndex, group.nextIndex))
    return new GiveWayError(`${count} of ${recipients.length} recipients have had their turn; others go first`, {
      resumeAt: formatResumePoint({
        indexes: new Map(turns.map(({ name, nextIndex }) => [name, nextIndex])),
        hasDeferred: hasDeferred || hadTurn.some((each) => isPassedOver(results.get(each), records.get(each))),
      }),
      hasProgressed,
    })
  }

  async function readRecords() {
    try {
      return await ledger.read(message, recipients)
    } catch (error) {
      throw hasProgressed ? toProgressed(error) : error
    }
  }
}

function giveWay(runs: readonly ServeRun[]): void {
  for (const run of runs) run.giveWay()
}

/** Each to its end; the first error stops the others. */
async function runAll(runs: readonly ServeRun[], share: ServeShare): Promise<ServeRunOutcome[]> {
  let failure: { error: unknown } | undefined
  const runOne = async (run: ServeRun): Promise<ServeRunOutcome | undefined> => {
    try {
      return await run.run()
    } catch (error) {
      failure ??= { error }
      for (const other of runs) other.stop(error)
      return undefined
    }
  }
  share.start()
  try {
    const outcomes = await Promise.all(runs.map(runOne))
    if (failure) throw runs.some((run) => run.hasProgressed) ? toProgressed(failure.error) : failure.error
    return outcomes.filter((outcome) => outcome !== undefined)
  } finally {
    share.stop()
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

import { DeferError, type Logger } from '@mono/message-queue'
import { createClaimSource } from './claim-source.js'
import { concludeMessage, type ServeSummary } from './conclude-message.js'
import type { Claim, DeliveryLedger, LedgerMessage, RecipientRecord } from './delivery-ledger.js'
import { createLeaseKeeper } from './lease-keeper.js'
import { createResultRecorder } from './result-recorder.js'
import type { ServeResult } from './serve-result.js'

export interface ServeRecipientsOptions {
  ledger: DeliveryLedger
  message: LedgerMessage
  /** Everybody whom the message is for. One who is named twice is served once. */
  recipients: readonly string[]
  /** Recipients served at a time. */
  concurrency: number
  /** Of the handler: when it is aborted, nobody else is served. */
  signal: AbortSignal
  logger: Logger
  /**
   * Sends to one recipient, and returns what became of it. It should heed the signal.
   *
   * When it throws, nobody else is served and the error is thrown on. The signal's reason and a DeferError say that
   * nothing was sent; after any other error nobody knows, and the claim is left until its lease ends.
   */
  serve(claim: Claim, signal: AbortSignal): Promise<ServeResult>
}

/**
 * Serves those of a message's recipients who have not been served and whom nobody else is serving, each of them once as
 * far as the ledger can tell, and then looks at those whom somebody else may have served. While the database is away nothing is sent.
 *
 * Resolves when everybody is final; the message can be acknowledged.
 *
 * @throws DeferError if another process is serving somebody, or somebody waits without having been tried
 * @throws RetryableError PROVIDER_UNAVAILABLE if nobody waits, and somebody was tried and is to be tried again
 * @throws PermanentError ALL_RECIPIENTS_FAILED if everybody has failed
 * @throws DeferError or RetryableError DATABASE_UNAVAILABLE if the ledger could not be asked
 * @throws the signal's reason when it is aborted; what was claimed and not sent has been given back
 */
export async function serveRecipients(options: ServeRecipientsOptions): Promise<ServeSummary> {
  const { ledger, message } = options
  const recipients = [...new Set(options.recipients)]
  const { results, isRecorded } = await serveAll({ ...options, recipients })
  // What this delivery has claimed and recorded for everybody needs no second look.
  const isKnown = isRecorded && results.size === recipients.length
  const records = isKnown ? toRecipientRecords(results) : await ledger.read(message, recipients)
  return concludeMessage({ recipients, records, results })
}

interface Served {
  results: Map<string, ServeResult>
  /** Each of the results is in the ledger. */
  isRecorded: boolean
}

async function serveAll(options: ServeRecipientsOptions): Promise<Served> {
  const { ledger, message, recipients, concurrency, signal, logger, serve } = options
  signal.throwIfAborted()
  const results = new Map<string, ServeResult>()
  let failure: { error: unknown } | undefined

  const stop = (error: unknown): undefined => {
    failure ??= { error }
    intake.stop()
  }
  const leases = createLeaseKeeper({ ledger, message, logger })
  const recorder = createResultRecorder({ ledger, message, logger, signal, onDone: leases.drop, onFailed: stop })
  const giveBack = (claims: readonly Claim[]) => {
    leases.drop(claims)
    recorder.release(claims.map(({ recipient, attempts }) => ({ recipient, attempts })))
  }
  const intake = createClaimSource({ ledger, message, recipients, leases, giveBack })

  async function serveOne(claim: Claim): Promise<void> {
    try {
      const result = await serve(claim, signal)
      results.set(claim.recipient, result)
      leases.served(claim)
      recorder.add(claim, result)
    } catch (error) {
      const isUnsent = error instanceof DeferError || (signal.aborted && error === signal.reason)
      if (isUnsent) giveBack([claim])
      else leases.drop([claim])
      stop(error)
    }
  }

  async function work(): Promise<void> {
    for (let claim = await next(); claim; claim = await next()) await serveOne(claim)
  }

  async function next(): Promise<Claim | undefined> {
    await recorder.ready()
    return await intake.next().catch(stop)
  }

  const onAbort = () => {
    leases.stop()
    stop(signal.reason)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, recipients.length) }, work))
    await recorder.finish()
  } finally {
    leases.stop()
    signal.removeEventListener('abort', onAbort)
  }
  signal.throwIfAborted()
  if (failure) throw failure.error
  return { results, isRecorded: recorder.isComplete }
}

function toRecipientRecords(results: ReadonlyMap<string, ServeResult>): Map<string, RecipientRecord> {
  return new Map([...results].map(([recipient, result]) => [recipient, toRecipientRecord(result)]))
}

function toRecipientRecord(result: ServeResult): RecipientRecord {
  if (result.kind === 'sent') return { state: 'sent', leasedByOther: false }
  const state = result.kind === 'defer' ? 'retry' : result.kind
  return { state, leasedByOther: false, lastCode: result.code }
}

import { type Envelope, type Mail, SendError } from '../email-provider.js'
import { beginsSoon, type Candidate } from './candidate.js'
import { type MailOutcome, toOutcome } from './mail-outcome.js'
import type { Visit } from './provider-health.js'

export interface SendByOptions {
  mail: Mail
  envelope: Envelope
  signal: AbortSignal
  visit: Visit
  /** Tells whether the mail could go by another provider now. */
  hasOther(): boolean
}

/** A mail that could go by another provider is at one that has not got it no longer than this. */
const patienceMs = 10_000
const lookEveryMs = 1_000

/**
 * Sends a mail by one provider. It is taken back when the provider goes away; and, if there is somebody else, when it has not
 * got the mail in time, or begins none for so long. A mail that was handed over stays.
 *
 * @throws the signal's reason if nothing was handed over; whatever the provider throws that is no SendError
 */
export async function sendBy(
  candidate: Candidate,
  { mail, envelope, signal, visit, hasOther }: SendByOptions,
): Promise<MailOutcome> {
  const withdraw = new AbortController()
  let turnAt: number | undefined
  const onTurn = () => {
    turnAt = performance.now()
  }
  const takeBack = () => withdraw.abort('The mail goes by another provider')
  const timer = setInterval(() => {
    const isLate = performance.now() - visit.startedAt >= patienceMs
    if ((isLate || !beginsSoon(candidate)) && hasOther()) takeBack()
  }, lookEveryMs)
  if (visit.leaving.aborted) takeBack()
  visit.leaving.addEventListener('abort', takeBack)
  try {
    return toOutcome(await candidate.provider.send(mail, envelope, signal, { withdraw: withdraw.signal, onTurn }))
  } catch (error) {
    if (error instanceof SendError) return { kind: error.outcome, error }
    if (!signal.aborted && withdraw.signal.aborted && error === withdraw.signal.reason) return { kind: 'moved', turnAt }
    throw error
  } finally {
    clearInterval(timer)
    visit.leaving.removeEventListener('abort', takeBack)
  }
}

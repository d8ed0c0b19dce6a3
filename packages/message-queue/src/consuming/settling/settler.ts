import { deadLetterPublicationName, retryPublicationName, type WorkQueueName, workQueues } from '@mono/rascal-config'
import type { ConsumeMessage } from 'amqplib'
import type { DeferError } from '../../errors/handler-errors.js'
import { header, isLeftOut } from '../../headers.js'
import type { Logger } from '../../logger.js'
import type { Handled, Held } from '../handling/intake.js'
import { ageOf } from '../reading/age-of.js'
import { findOrigin } from '../reading/find-origin.js'
import { notAfter } from '../reading/not-after.js'
import { parseHeaders } from '../reading/parse-headers.js'
import type { ReceivedMessage } from '../reading/received-message.js'
import { toHeaderNumber } from '../reading/to-header-number.js'
import type { Delivery } from '../receiving/delivery.js'
import { classifyFailure, classifyThrown } from './classify-failure.js'
import { createCopy } from './create-copy.js'
import { decideSettlement, type ForwardSettlement, type Settlement } from './decide-settlement.js'
import type { SettledEvent } from './settled-event.js'

export interface SettlerOptions {
  queue: WorkQueueName
  /** For `x-failed-by`. */
  workerName: string
  logger: Logger
  onSettled(event: SettledEvent): void
  /** Sends a copy, and resolves when it is confirmed. @throws Error if it is not, or the original is lost */
  forward(publication: string, copy: ConsumeMessage, lost: AbortSignal): Promise<void>
}

/** The part of a settlement's event and log line that the message or its handler decides. */
interface Account extends Pick<SettledEvent, 'attempt' | 'handlerMs'> {
  type?: SettledEvent['type'] | undefined
  messageId?: string | undefined
  sincePublishedMs?: number | undefined
}

/** The part of a message that decides how it is settled, and names it in the log. */
type Identity = Pick<ReceivedMessage, 'attempt' | 'progressAt' | 'publishedAt'> &
  Partial<Pick<ReceivedMessage, 'messageId' | 'type'>>

const outcomes = {
  ack: 'acked',
  return: 'returned',
  retry: 'retried',
  defer: 'deferred',
  'give-way': 'gave-way',
  'dead-letter': 'dead-lettered',
} as const satisfies Record<Settlement['kind'], SettledEvent['outcome']>

/**
 * Decides what is done with a delivery, does it, and says so once: one event, and one log line where it failed. Retry,
 * defer, giving way and dead-letter are a confirmed copy first and an ack of the original after it, so that a crash between the two
 * leaves two, never none.
 */
export class Settler {
  readonly #options: SettlerOptions

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  /** Settles a message by what its handler did. With `isLastTry` a failure is not retried. */
  async settle({ delivery, message }: Held, handled: Handled, { isLastTry = false } = {}): Promise<void> {
    await this.#conclude(delivery, message, handled, isLastTry)
  }

  /**
   * For a queue that keeps its order, whose retries and deferrals are waited for with the delivery in hand: says so, as
   * `settle` does.
   *
   * @returns milliseconds until the next try; undefined if the message is to be settled now
   */
  keep({ delivery, message }: Held, handled: Handled, { isLastTry }: { isLastTry: boolean }): number | undefined {
    if (delivery.lost.aborted) return undefined
    const settlement = this.#decide(message, handled, isLastTry)
    if (settlement.kind !== 'retry' && settlement.kind !== 'defer') return undefined
    const account = this.#toAccount(delivery, message, handled)
    this.#log(settlement, account)
    this.#tell(settlement, outcomes[settlement.kind], account, { isInHand: true })
    return settlement.step.delayMs
  }

  /** Defers a message that is not to be tried now, without a look at its body. */
  async defer(delivery: Delivery, reason: DeferError): Promise<void> {
    try {
      const { attempts, progressAt, publishedAt } = parseHeaders(delivery.queue, delivery.message, delivery.headers)
      const { firstSeen } = delivery
      const identity = {
        attempt: attempts + 1,
        publishedAt: notAfter(firstSeen, publishedAt),
        ...(progressAt && { progressAt: notAfter(firstSeen, progressAt) }),
      }
      await this.#conclude(delivery, { ...identity, ...idOf(delivery) }, { handlerMs: 0, failure: { thrown: reason } })
    } catch (error) {
      await this.deadLetter(delivery, error)
    }
  }

  async #conclude(delivery: Delivery, identity: Identity, handled: Handled, isLastTry = false): Promise<void> {
    const settlement = this.#decide(identity, handled, isLastTry)
    await this.#execute(delivery, settlement, identity.publishedAt, this.#toAccount(delivery, identity, handled))
  }

  #decide(identity: Identity, { failure }: Handled, isLastTry: boolean): Settlement {
    if (!failure) return { kind: 'ack' }
    const queue = workQueues[this.#options.queue]
    const facts = { queue, attempt: identity.attempt, ageMs: ageOf(identity), isLastTry }
    return decideSettlement(classifyThrown(failure.thrown), facts)
  }

  #toAccount(delivery: Delivery, { attempt, messageId, publishedAt, type }: Identity, { handlerMs }: Handled): Account {
    const sincePublishedMs = saysWhenPublished(delivery) ? Date.now() - publishedAt.getTime() : undefined
    return { type, attempt, handlerMs, sincePublishedMs, messageId }
  }

  /** Dead-letters a message that no handler may see; that is no attempt. */
  async deadLetter(delivery: Delivery, thrown: unknown): Promise<void> {
    const { code, error } = classifyFailure(thrown)
    const attempts = attemptsOf(delivery)
    const settlement: Settlement = { kind: 'dead-letter', code, error, attempts }
    await this.#execute(delivery, settlement, delivery.firstSeen, {
      attempt: attempts + 1,
      handlerMs: 0,
      ...idOf(delivery),
    })
  }

  /** Gives a delivery back to the queue. If it is lost, the broker has done that already. */
  async return(delivery: Delivery): Promise<void> {
    const account = { attempt: attemptsOf(delivery) + 1, handlerMs: 0 }
    if (!delivery.lost.aborted) await this.#execute(delivery, { kind: 'return' }, delivery.firstSeen, account)
    else if (delivery.claim()) this.#tell({ kind: 'return' }, outcomes.return, account)
  }

  async #execute(delivery: Delivery, settlement: Settlement, publishedAt: Date, account: Account): Promise<void> {
    if (!delivery.claim()) return
    let outcome: SettledEvent['outcome'] = outcomes[settlement.kind]
    try {
      if (settlement.kind === 'ack') delivery.ack()
      else if (settlement.kind === 'return') delivery.return()
      else await this.#forward(delivery, settlement, publishedAt)
      this.#log(settlement, account)
    } catch (error) {
      outcome = isForward(settlement) && leaveToBroker(delivery) ? 'dead-lettered' : 'returned'
      this.#logFault(settlement, outcome, error, account)
    }
    this.#tell(settlement, outcome, account)
  }

  async #forward(delivery: Delivery, settlement: ForwardSettlement, publishedAt: Date): Promise<void> {
    const { forward, workerName } = this.#options
    const publication =
      settlement.kind === 'dead-letter'
        ? deadLetterPublicationName(delivery.queue)
        : retryPublicationName(delivery.queue, settlement.step.name)
    await forward(publication, createCopy(delivery, settlement, { workerName, publishedAt }), delivery.lost)
    delivery.ack()
  }

  /** Field by field, because this runs for every message and spreads take most of its time. */
  #tell(settlement: Settlement, outcome: SettledEvent['outcome'], account: Account, { isInHand = false } = {}): void {
    const { type, attempt, handlerMs, sincePublishedMs } = account
    const event: SettledEvent = { queue: this.#options.queue, outcome, attempt, handlerMs }
    if (type !== undefined) event.type = type
    if ('code' in settlement) event.code = settlement.code
    if (sincePublishedMs !== undefined) event.sincePublishedMs = sincePublishedMs
    if (isInHand) event.isInHand = true
    try {
      this.#options.onSettled(event)
    } catch (error) {
      // Whoever listens must not keep a delivery from its end.
      this.#options.logger.error({ err: error }, 'A listener of settled deliveries has failed')
    }
  }

  #log(settlement: Settlement, account: Account): void {
    if (settlement.kind === 'ack' || settlement.kind === 'return') return
    if (settlement.kind === 'give-way') {
      const { attempts, error, step } = settlement
      const { message: reason, resumeAt } = error
      const data = { attempts, reason, handlerMs: Math.round(account.handlerMs), resumeAt }
      this.#child(account).debug({ ...data, delay: step.name }, 'Gave way to others')
      return
    }
    const { code, error, attempts } = settlement
    // The stack is worth its lines where nobody has said what the failure is.
    const unexplained = code === 'HANDLER_BUG' || code === 'UNCLASSIFIED'
    const data = {
      code,
      attempts,
      reason: error.message,
      handlerMs: Math.round(account.handlerMs),
      ...(unexplained && { err: error }),
    }
    if (settlement.kind === 'retry') this.#child(account).warn({ ...data, delay: settlement.step.name }, 'Retried')
    else if (settlement.kind === 'defer')
      this.#child(account).debug({ ...data, delay: settlement.step.name }, 'Deferred')
    else this.#child(account).error(data, 'Dead-lettered')
  }

  #logFault(settlement: Settlement, outcome: SettledEvent['outcome'], fault: unknown, account: Account): void {
    const failure = 'code' in settlement && { code: settlement.code, reason: settlement.error.message }
    const data = { err: fault, settlement: settlement.kind, outcome, ...failure }
    const message = 'A delivery could not be settled'
    if (outcome === 'returned') this.#child(account).warn(data, message)
    else this.#child(account).error(data, message)
  }

  #child({ messageId, type, attempt }: Account): Logger {
    const { logger, queue } = this.#options
    return logger.child({ queue, messageId, messageType: type, attempt })
  }
}

function isForward({ kind }: Settlement): boolean {
  return kind !== 'ack' && kind !== 'return'
}

/**
 * The broker dead-letters, without our reason, the original of a copy that it did not take. On a channel that is closed or
 * closing nothing can be left to it: the delivery comes again.
 *
 * @returns whether it was left to the broker
 */
function leaveToBroker(delivery: Delivery): boolean {
  try {
    delivery.reject()
    return true
  } catch {
    return false
  }
}

/** For the log: what no handler saw has only the property, which may be anything. */
function idOf({ message }: Delivery): { messageId?: string } {
  const { messageId } = message.properties
  return typeof messageId === 'string' ? { messageId: messageId.slice(0, 128) } : {}
}

function saysWhenPublished({ headers }: Delivery): boolean {
  return !isLeftOut(headers[header.publishedAt])
}

function attemptsOf({ headers, message, queue }: Delivery): number {
  const origin = findOrigin(queue, message, headers)
  if (origin !== undefined && origin.from !== 'retry') return 0
  const attempts = toHeaderNumber(headers[header.attempts])
  return typeof attempts === 'number' && Number.isInteger(attempts) && attempts >= 0 ? attempts : 0
}

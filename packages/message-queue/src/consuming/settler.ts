import { type WorkQueueName, workQueues } from '@mono/rascal-config'
import { header } from '../headers.js'
import type { Logger } from '../logger.js'
import { classifyFailure } from './classify-failure.js'
import { decideSettlement, type Settlement } from './decide-settlement.js'
import type { Delivery } from './delivery.js'
import type { DeferError } from './handler-errors.js'
import type { Handled, Held } from './intake.js'
import { notAfter } from './not-after.js'
import { parseHeaders } from './parse-headers.js'
import type { ReceivedMessage } from './received-message.js'
import type { SettledEvent } from './settled-event.js'

export interface SettlerOptions {
  queue: WorkQueueName
  /** For `x-failed-by`. */
  workerName: string
  logger: Logger
  onSettled(event: SettledEvent): void
  /** Whether the channel that a delivery came by is open; if not, the broker delivers it again unless it was settled. */
  hasChannel(delivery: Delivery): boolean
}

interface About extends Pick<SettledEvent, 'attempt' | 'handlerMs'> {
  type?: SettledEvent['type'] | undefined
  messageId?: string | undefined
  sincePublishedMs?: number | undefined
}

/** What of a message decides how it is settled, and names it in the log. */
type Facts = Pick<ReceivedMessage, 'attempt' | 'publishedAt'> & Partial<Pick<ReceivedMessage, 'messageId' | 'type'>>

const outcomes = {
  ack: 'acked',
  return: 'returned',
  retry: 'retried',
  defer: 'deferred',
  'dead-letter': 'dead-lettered',
} as const satisfies Record<Settlement['kind'], SettledEvent['outcome']>

/** Decides what is done with a delivery, does it, and says so once: one event, and one log line where it failed. */
export class Settler {
  readonly #options: SettlerOptions

  constructor(options: SettlerOptions) {
    this.#options = options
  }

  /** Settles a message by what its handler did. */
  async settle({ delivery, message }: Held<WorkQueueName>, handled: Handled): Promise<void> {
    await this.#conclude(delivery, message, handled)
  }

  /** Defers what is not to be tried now, without a look at its body. */
  async putOff(delivery: Delivery, reason: DeferError): Promise<void> {
    try {
      const { attempts, publishedAt } = parseHeaders(delivery.queue, delivery.message, delivery.headers)
      const facts = { attempt: attempts + 1, publishedAt: notAfter(delivery.firstSeen, publishedAt), ...idOf(delivery) }
      await this.#conclude(delivery, facts, { handlerMs: 0, failure: { thrown: reason } })
    } catch (error) {
      await this.refuse(delivery, error)
    }
  }

  async #conclude(delivery: Delivery, facts: Facts, { handlerMs, failure }: Handled): Promise<void> {
    const { attempt, messageId, publishedAt, type } = facts
    const ageMs = Date.now() - publishedAt.getTime()
    const settlement: Settlement = failure
      ? decideSettlement(classifyFailure(failure.thrown), {
          queue: workQueues[this.#options.queue],
          attempt,
          ageMs,
        })
      : { kind: 'ack' }
    const sincePublishedMs = saysWhenPublished(delivery) ? ageMs : undefined
    await this.#execute(delivery, settlement, publishedAt, { type, attempt, handlerMs, sincePublishedMs, messageId })
  }

  /** Dead-letters what no handler may see; that is no attempt. */
  async refuse(delivery: Delivery, thrown: unknown): Promise<void> {
    const { code, error } = classifyFailure(thrown)
    const attempts = attemptsOf(delivery)
    const settlement: Settlement = { kind: 'dead-letter', code, error, attempts }
    await this.#execute(delivery, settlement, delivery.firstSeen, {
      attempt: attempts + 1,
      handlerMs: 0,
      ...idOf(delivery),
    })
  }

  /** Settles nothing: the channel is gone, and the broker delivers it again. */
  async forget(delivery: Delivery): Promise<void> {
    if (!delivery.forget()) return
    this.#tell({ kind: 'return' }, outcomes.return, { attempt: attemptsOf(delivery) + 1, handlerMs: 0 })
  }

  /** Hands a delivery back to the queue. */
  async return(delivery: Delivery): Promise<void> {
    await this.#execute(delivery, { kind: 'return' }, delivery.firstSeen, {
      attempt: attemptsOf(delivery) + 1,
      handlerMs: 0,
    })
  }

  async #execute(delivery: Delivery, settlement: Settlement, publishedAt: Date, about: About): Promise<void> {
    const { workerName } = this.#options
    let outcome: SettledEvent['outcome'] = outcomes[settlement.kind]
    try {
      if (!(await delivery.settle(settlement, { workerName, publishedAt }))) return
      this.#log(settlement, about)
    } catch (error) {
      outcome = this.#outcomeOfFault(delivery, settlement)
      this.#logFault(settlement, outcome, error, about)
    }
    this.#tell(settlement, outcome, about)
  }

  /** Field by field, because this runs for every message and spreads take most of its time. */
  #tell(settlement: Settlement, outcome: SettledEvent['outcome'], about: About): void {
    const { type, attempt, handlerMs, sincePublishedMs } = about
    const event: SettledEvent = { queue: this.#options.queue, outcome, attempt, handlerMs }
    if (type !== undefined) event.type = type
    if ('code' in settlement) event.code = settlement.code
    if (sincePublishedMs !== undefined) event.sincePublishedMs = sincePublishedMs
    this.#options.onSettled(event)
  }

  #log(settlement: Settlement, about: About): void {
    if (settlement.kind === 'ack' || settlement.kind === 'return') return
    const { code, error, attempts } = settlement
    // The stack is worth its lines where nobody has said what the failure is.
    const unexplained = code === 'HANDLER_BUG' || code === 'UNCLASSIFIED'
    const data = {
      code,
      attempts,
      reason: error.message,
      handlerMs: Math.round(about.handlerMs),
      ...(unexplained && { err: error }),
    }
    if (settlement.kind === 'retry') this.#child(about).warn({ ...data, delay: settlement.step.name }, 'Retried')
    else if (settlement.kind === 'defer') this.#child(about).debug({ ...data, delay: settlement.step.name }, 'Deferred')
    else this.#child(about).error(data, 'Dead-lettered')
  }

  #logFault(settlement: Settlement, outcome: SettledEvent['outcome'], fault: unknown, about: About): void {
    const failure = 'code' in settlement && { code: settlement.code, reason: settlement.error.message }
    const data = { err: fault, settlement: settlement.kind, outcome, ...failure }
    const message = 'A delivery could not be settled'
    if (outcome === 'returned') this.#child(about).warn(data, message)
    else this.#child(about).error(data, message)
  }

  #child({ messageId, type, attempt }: About): Logger {
    const { logger, queue } = this.#options
    return logger.child({ queue, messageId, messageType: type, attempt })
  }

  /**
   * With its channel gone the broker delivers the message again, and so it does when an ack did not get through. A copy
   * that was not confirmed makes rascal reject the original, which the broker then dead-letters.
   */
  #outcomeOfFault(delivery: Delivery, { kind }: Settlement): SettledEvent['outcome'] {
    const isCopied = kind !== 'ack' && kind !== 'return'
    return isCopied && this.#options.hasChannel(delivery) ? 'dead-lettered' : 'returned'
  }
}

/** For the log: what no handler saw has only the property, which may be anything. */
function idOf({ message }: Delivery): { messageId?: string } {
  const { messageId } = message.properties
  return typeof messageId === 'string' ? { messageId: messageId.slice(0, 128) } : {}
}

function saysWhenPublished({ headers, message }: Delivery): boolean {
  return headers[header.publishedAt] !== undefined || message.properties.timestamp !== undefined
}

function attemptsOf({ headers }: Delivery): number {
  const value = headers[header.attempts]
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : 0
}

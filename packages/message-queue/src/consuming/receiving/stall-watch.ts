import type { Logger } from '../../logger.js'

export interface StallWatchOptions {
  /** Between two looks, in milliseconds. */
  intervalMs: number
  logger: Logger
  /** The consumer is registered and has nothing in flight. */
  isIdle(): boolean
  /** Deliveries so far. */
  countDelivered(): number
  /** Messages that are ready in the queue. @throws Error if there is no connection to ask on */
  countWaiting(): Promise<number>
  /** The broker has answered the last question of the consumer: it is registered as wanted, or not at all if so wanted. */
  isSettled(): boolean
  /** Steps towards that so far. */
  countAttempts(): number
  /** Messages wait, and none was delivered between two looks. */
  onStalled(): void
  /** The broker answers, but from one look to the next the consumer was not registered, and no step was begun. */
  onStuck(error: Error): void
}

/** Longer than every pause between two steps of a consumer that is well looked after, in milliseconds. */
const stuckAfterMs = 10_000

export interface StallWatch {
  look(): Promise<void>
  stop(): void
}

/**
 * Looks, in every state until it is stopped, for a consumer that nobody takes care of any more:
 *
 * - The broker has forgotten it: it is idle, and nothing is delivered from one look to the next, though at both messages
 *   were waiting.
 * - It waits for an answer that does not come, though the broker answers other questions.
 *
 * A consumer that stands by is not watched for the first: messages may wait for the active one.
 *
 * A count that cannot be had says nothing; a broken connection is made again in any case.
 */
export function watchForStall(options: StallWatchOptions): StallWatch {
  const { countAttempts, countDelivered, countWaiting, intervalMs, isIdle, isSettled, logger } = options
  let before = { delivered: countDelivered(), attempts: countAttempts(), isWaiting: false }
  let unsettledSince: number | undefined
  let looking = false

  const isStill = () => countDelivered() === before.delivered
  const isUnsettled = () => !isSettled() && countAttempts() === before.attempts

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    let isWaiting = false
    unsettledSince = isUnsettled() ? (unsettledSince ?? performance.now()) : undefined
    try {
      if (unsettledSince !== undefined) await findStuck(performance.now() - unsettledSince)
      else if (isIdle() && isStill()) isWaiting = await findStalled()
    } catch (error) {
      logger.debug({ err: error }, 'The waiting messages could not be counted')
    } finally {
      before = { isWaiting, delivered: countDelivered(), attempts: countAttempts() }
      looking = false
    }
  }

  /** @returns whether messages wait that the next look may find waiting still */
  async function findStalled(): Promise<boolean> {
    const waiting = await countWaiting()
    if (waiting === 0 || !isIdle() || !isStill()) return false
    if (!before.isWaiting) return true
    logger.warn({ waiting }, 'Messages wait, but none is delivered; the consumer registers again')
    options.onStalled()
    return false
  }

  async function findStuck(ms: number): Promise<void> {
    if (ms < stuckAfterMs) return
    await countWaiting()
    const isStuck = isUnsettled()
    unsettledSince = undefined
    if (!isStuck) return
    const error = new Error(`The broker answers, but has not registered the consumer for ${Math.round(ms)} ms.`)
    logger.warn({ err: error }, 'The consumer is not registered; it connects again')
    options.onStuck(error)
  }

  const timer = setInterval(() => void look(), intervalMs)
  timer.unref()
  return { look, stop: () => clearInterval(timer) }
}

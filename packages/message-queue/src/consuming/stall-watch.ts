import type { Logger } from '../logger.js'

export interface StallWatchOptions {
  /** Between two looks, in milliseconds. */
  intervalMs: number
  logger: Logger
  /** The consumer is registered and has nothing in hand. */
  isIdle(): boolean
  /** Deliveries so far. */
  countDelivered(): number
  /** Messages that are ready in the queue. */
  countWaiting(): Promise<number>
  /** Messages wait, and none was delivered between two looks. */
  onStalled(): void
}

export interface StallWatch {
  look(): Promise<void>
  stop(): void
}

/**
 * Looks for a consumer that the broker has forgotten: idle, and nothing delivered from one look to the next, though at
 * both messages were waiting. A count that cannot be had says nothing; a broken connection shows in other ways.
 */
export function watchForStall(options: StallWatchOptions): StallWatch {
  const { intervalMs, logger, isIdle, countDelivered, countWaiting, onStalled } = options
  let deliveredBefore = countDelivered()
  let waitedBefore = false
  let looking = false

  async function look(): Promise<void> {
    if (looking) return
    looking = true
    try {
      const waiting = isIdle() && countDelivered() === deliveredBefore ? await countWaiting() : 0
      const isWaiting = waiting > 0 && isIdle() && countDelivered() === deliveredBefore
      if (isWaiting && waitedBefore) {
        logger.warn({ waiting }, 'Messages wait, but none is delivered; the consumer registers again')
        onStalled()
      }
      waitedBefore = isWaiting && !waitedBefore
    } catch (error) {
      logger.debug({ err: error }, 'The waiting messages could not be counted')
      waitedBefore = false
    } finally {
      deliveredBefore = countDelivered()
      looking = false
    }
  }

  const timer = setInterval(() => void look(), intervalMs)
  timer.unref()
  return { look, stop: () => clearInterval(timer) }
}

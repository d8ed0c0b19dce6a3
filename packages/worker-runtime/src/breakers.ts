import type { Consumer, DeferError, SettledEvent } from '@mono/message-queue'
import { type BreakerStatus, createBreaker, type Dependency } from './breaker.js'
import type { RuntimeLogger } from './logger.js'

type PausableConsumer = Pick<Consumer, 'pause' | 'resume' | 'inFlight'>

/** The breakers of a worker. Its consumer is paused while one of them is open. */
export interface Breakers {
  /** By the name of the dependency. */
  readonly statuses: Readonly<Record<string, BreakerStatus>>
  add(dependency: Dependency): void
  /** The consumer to pause, from now on. */
  attach(consumer: PausableConsumer): void
  /** To be told of every delivery. */
  onSettled(event: SettledEvent): void
  /** Somebody else has found that the dependency cannot be used. */
  trip(name: string, error: string): void
  stop(): void
}

export function createBreakers(logger: RuntimeLogger): Breakers {
  const breakers = new Map<string, ReturnType<typeof createBreaker>>()
  const reasons = new Map<string, DeferError>()
  let consumer: PausableConsumer | undefined

  function apply(): void {
    const [reason] = reasons.values()
    if (reason === undefined) consumer?.resume()
    else consumer?.pause(reason)
  }

  return {
    get statuses() {
      return Object.fromEntries([...breakers].map(([name, { status }]) => [name, status]))
    },
    add(dependency) {
      const { name } = dependency
      const breaker = createBreaker({
        dependency,
        logger,
        inHand: () => consumer?.inFlight ?? 0,
        onOpen(reason) {
          reasons.set(name, reason)
          apply()
        },
        onTrial() {
          reasons.delete(name)
          apply()
        },
      })
      breakers.set(name, breaker)
    },
    attach(attached) {
      consumer = attached
      if (reasons.size > 0) apply()
    },
    onSettled(event) {
      for (const breaker of breakers.values()) breaker.onSettled(event)
    },
    trip: (name, error) => breakers.get(name)?.trip(error),
    stop() {
      for (const breaker of breakers.values()) breaker.stop()
    },
  }
}

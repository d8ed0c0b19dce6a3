import type { Consumer, DeferError, SettledEvent } from '@mono/message-queue'
import { Breaker, type BreakerStatus } from './breaker.js'
import type { Dependency } from './dependency.js'
import type { RuntimeLogger } from './logger.js'

type PausableConsumer = Pick<Consumer, 'pause' | 'resume' | 'inFlight'>

/** The breakers of a worker. Its consumer is paused while one of them is open. */
export interface Breakers {
  /** By the name of the dependency. */
  readonly statuses: Readonly<Record<string, BreakerStatus>>
  /** Watches the dependency from now on. */
  add(dependency: Dependency): void
  /** The consumer to pause, from now on. */
  attach(consumer: PausableConsumer): void
  /** To be told of every delivery. */
  onSettled(event: SettledEvent): void
  /** A delivery is about to be deferred for this reason. */
  noteCause(error: DeferError): void
  /** Probes all that say how often they want it. @returns why one of them is open, if so */
  findFault(): Promise<string | undefined>
  /** Opens the breaker of what all work shares beside its dependencies, whatever that is. */
  blameNobody(reason: string): void
  stop(): void
}

/** Nobody can ask for it, so only a delivery that is done closes its breaker. */
const work: Dependency = { name: 'work', probe: async () => {} }

export function createBreakers(logger: RuntimeLogger): Breakers {
  const breakers = new Map<string, Breaker>()
  /** Of the breakers that are open, in the order in which they opened. */
  const reasons = new Map<string, DeferError>()
  let consumer: PausableConsumer | undefined

  function pauseOrResume(): void {
    const [reason] = reasons.values()
    if (reason === undefined) consumer?.resume()
    else consumer?.pause(reason)
  }

  function add(dependency: Dependency): Breaker {
    const { name } = dependency
    const breaker = new Breaker({
      dependency,
      logger,
      countInFlight: () => consumer?.inFlight ?? 0,
      onOpen(reason) {
        reasons.set(name, reason)
        pauseOrResume()
      },
      onTrial() {
        reasons.delete(name)
        pauseOrResume()
      },
    })
    breakers.set(name, breaker)
    return breaker
  }

  return {
    get statuses() {
      return Object.fromEntries([...breakers].map(([name, { status }]) => [name, status]))
    },
    add: (dependency) => void add(dependency),
    attach(attached) {
      consumer = attached
      if (reasons.size > 0) pauseOrResume()
    },
    onSettled(event) {
      for (const breaker of breakers.values()) breaker.onSettled(event)
    },
    noteCause(error) {
      for (const breaker of breakers.values()) breaker.noteCause(error)
    },
    async findFault() {
      const faults = await Promise.all([...breakers.values()].map((breaker) => breaker.probeNow()))
      return faults.find((fault) => fault !== undefined)
    },
    blameNobody(reason) {
      const breaker = breakers.get(work.name) ?? add(work)
      breaker.openFor(reason)
    },
    stop() {
      for (const breaker of breakers.values()) breaker.stop()
    },
  }
}

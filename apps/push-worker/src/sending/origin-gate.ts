import type { Logger } from '@mono/message-queue'
import { type Entry, GatedOrigin, type Passage } from './gated-origin.js'

export interface OriginGateOptions {
  /** Requests at a time to one origin. */
  concurrency: number
  logger: Logger
  /** Milliseconds since 1970. */
  now?: () => number
  /** From 0 to 1. Default `Math.random`. */
  random?: () => number
}

/** Origins come from endpoints, and one of the known push services has any number of host names. */
const originsToKeep = 1000

/**
 * Keeps a push service that is slow, down or busy from holding up the others: each has so many requests at a time, and
 * while one has to be left alone, its devices are turned away at once. After that time a single request is let through
 * as a trial; the others wait for its outcome. What a single endpoint gets as an answer holds up that endpoint only.
 */
export class OriginGate {
  readonly #options: Required<OriginGateOptions>
  readonly #origins = new Map<string, GatedOrigin>()

  constructor(options: OriginGateOptions) {
    this.#options = { now: Date.now, random: Math.random, ...options }
  }

  /** Origins that had to be left alone and have not answered since. */
  get closed(): number {
    return [...this.#origins.values()].filter(({ isClosed }) => isClosed).length
  }

  /** As {@link GatedOrigin.enter}. */
  enter({ origin, href }: Pick<URL, 'origin' | 'href'>, entry: Entry): Promise<Passage | number | undefined> {
    return this.#gatedOriginOf(origin).enter(href, entry)
  }

  #gatedOriginOf(origin: string): GatedOrigin {
    const known = this.#origins.get(origin)
    if (known) return known
    if (this.#origins.size >= originsToKeep) this.#forgetIdle()
    const gatedOrigin = new GatedOrigin({ ...this.#options, origin })
    this.#origins.set(origin, gatedOrigin)
    return gatedOrigin
  }

  #forgetIdle(): void {
    for (const [origin, { isIdle }] of this.#origins) if (isIdle) this.#origins.delete(origin)
  }
}

import type { Link } from './link.js'
import type { Subscription } from './subscription.js'

/** A conversation that somebody on the page listens to, and how far the broker is with it. */
export class Conversation {
  readonly conversationId: string
  readonly subscriptions = new Set<Subscription>()
  /** The connections over which it is heard: two while one is renewed. */
  readonly #links = new Set<Link>()
  /** Undefined as long as the tenant is not known. */
  topic: string | undefined
  /**
   * Set while no token names it. `since`: when that was noticed, and another one asked for, in milliseconds of
   * `performance.now()`. `isTold`: the page knows, because another one does not name it either.
   */
  missing: { since: number; isTold: boolean } | undefined
  /** The token with which the broker has refused it, and when, in milliseconds of `performance.now()`. */
  refusal: { token: string; since: number } | undefined
  /**
   * How often the connection was closed while the broker had to answer about it, in a row. Above 0 it is a suspect, and is
   * subscribed to alone, after all the others.
   */
  suspicion = 0

  constructor(conversationId: string) {
    this.conversationId = conversationId
  }

  get isHeard(): boolean {
    return this.#links.size > 0
  }

  addLink(link: Link): void {
    this.#links.add(link)
    this.#tellSubscriptions()
  }

  deleteLink(link: Link): void {
    this.#links.delete(link)
    this.#tellSubscriptions()
  }

  /** It is not heard any more over any other connection. */
  keepOnly(link: Link): void {
    for (const other of this.#links) if (other !== link) this.#links.delete(other)
    this.#tellSubscriptions()
  }

  #tellSubscriptions(): void {
    for (const subscription of this.subscriptions) subscription.setHeard(this.isHeard)
  }
}

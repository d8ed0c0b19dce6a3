import type { Conversation } from './conversation.js'
import type { Link } from './link.js'
import { LinkClosedError } from './link-closed-error.js'
import { RealtimeError } from './realtime-error.js'
import type { RealtimeToken } from './realtime-token.js'

export interface LinkSubscriberOptions {
  link: Link
  token: RealtimeToken
  /** Those that are open at the time. */
  conversations(): Iterable<Conversation>
  /** The broker sends it from now on. */
  onHeard(conversation: Conversation): void
  /** The token does not name it, and a newer one may. */
  onTokenWanted(): void
  report(error: RealtimeError): void
}

/** Conversations in one packet, for which RabbitMQ 4.3 takes about a second when it is busy. */
const batchSize = 50

/** The connection that is closed so often while the broker has to answer about one conversation alone is closed because of it. */
const refusedAt = 3

/**
 * Subscribes to all open conversations over one connection.
 *
 * A broker may refuse a conversation by closing the connection, which would disturb all others again and again. So those
 * that were asked for when the connection was closed are asked for one at a time, after all others, until it is clear which
 * one is refused. A broker that does not answer in time refuses nothing.
 */
export class LinkSubscriber {
  readonly link: Link
  readonly token: RealtimeToken
  readonly #options: LinkSubscriberOptions
  readonly #seen = new Set<string>()
  #running: Promise<void> | undefined

  constructor(options: LinkSubscriberOptions) {
    this.link = options.link
    this.token = options.token
    this.#options = options
  }

  /** Resolves when the broker has answered about all of them. @throws Error if the connection is lost before */
  run(): Promise<void> {
    this.#running ??= this.#subscribeAll().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  unsubscribe(topic: string): void {
    if (this.#seen.delete(topic)) this.link.unsubscribe(topic)
  }

  async #subscribeAll(): Promise<void> {
    for (let batch = this.#takeBatch(); batch.size > 0; batch = this.#takeBatch()) await this.#subscribe(batch)
  }

  #takeBatch(): Map<string, Conversation> {
    const batch = new Map<string, Conversation>()
    let suspect: [string, Conversation] | undefined
    for (const conversation of this.#options.conversations()) {
      const { topic, suspicion } = conversation
      if (topic === undefined || this.#seen.has(topic) || !this.#isAllowed(topic, conversation)) continue
      if (suspicion > 0) suspect ??= [topic, conversation]
      else if (batch.size < batchSize) batch.set(topic, conversation)
    }
    if (batch.size === 0 && suspect !== undefined) batch.set(...suspect)
    for (const topic of batch.keys()) this.#seen.add(topic)
    return batch
  }

  #isAllowed(topic: string, conversation: Conversation): boolean {
    if (conversation.refusal?.token === this.token.value) return false
    if (this.token.allows(topic)) return true
    this.#handleMissing(conversation)
    return false
  }

  #handleMissing(conversation: Conversation): void {
    const { missing, conversationId } = conversation
    if (missing === undefined) {
      conversation.missing = { since: performance.now(), isTold: false }
      this.#options.onTokenWanted()
      return
    }
    if (missing.isTold || !this.token.wasAskedForSince(missing.since)) return
    missing.isTold = true
    const message = 'the token does not name this conversation, nor did another one'
    this.#options.report(new RealtimeError('NOT_IN_TOKEN', message, { conversationId }))
  }

  async #subscribe(batch: ReadonlyMap<string, Conversation>): Promise<void> {
    let refused: string[]
    try {
      refused = await this.link.subscribe([...batch.keys()])
    } catch (error) {
      if (error instanceof LinkClosedError) {
        for (const conversation of batch.values()) this.#suspect(conversation, { isAlone: batch.size === 1 })
      }
      throw error
    }
    for (const [topic, conversation] of batch) {
      if (!refused.includes(topic)) this.#accept(conversation)
      else {
        this.#seen.delete(topic)
        this.#refuse(conversation)
      }
    }
  }

  #accept(conversation: Conversation): void {
    conversation.suspicion = 0
    conversation.missing = undefined
    conversation.addLink(this.link)
    this.#options.onHeard(conversation)
  }

  #suspect(conversation: Conversation, { isAlone }: { isAlone: boolean }): void {
    if (isAlone) conversation.suspicion += 1
    else conversation.suspicion = Math.max(conversation.suspicion, 1)
    if (conversation.suspicion < refusedAt) return
    // With the next token, one time more is enough.
    conversation.suspicion = refusedAt - 1
    this.#refuse(conversation)
  }

  #refuse(conversation: Conversation): void {
    const { conversationId } = conversation
    conversation.refusal = { token: this.token.value, since: performance.now() }
    const message = 'the broker refuses this conversation'
    this.#options.report(new RealtimeError('SUBSCRIPTION_REFUSED', message, { conversationId }))
  }
}

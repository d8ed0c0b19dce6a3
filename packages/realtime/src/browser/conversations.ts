import { Conversation } from './conversation.js'
import type { RealtimeError } from './realtime-error.js'
import type { Subscription } from './subscription.js'
import { topicOf } from './topic.js'

/** The conversations that the page has open. */
export class Conversations {
  readonly #byId = new Map<string, Conversation>()
  readonly #byTopic = new Map<string, Conversation>()
  readonly #report: (error: RealtimeError) => void
  #tenantId: number | undefined

  constructor(report: (error: RealtimeError) => void) {
    this.#report = report
  }

  get tenantId(): number | undefined {
    return this.#tenantId
  }

  /** Resolves when each conversation has its topic. */
  async setTenantId(tenantId: number): Promise<void> {
    this.#tenantId = tenantId
    await Promise.all([...this.#byId.values()].map((conversation) => this.#setTopic(conversation)))
  }

  all(): Iterable<Conversation> {
    return this.#byId.values()
  }

  heard(): Subscription[] {
    return [...this.#byId.values()].flatMap(({ subscriptions }) => [...subscriptions].filter(({ isHeard }) => isHeard))
  }

  /** The broker may be asked again about those that it refused so long ago. */
  forgetRefusals({ olderThanMs }: { olderThanMs: number }): void {
    const until = performance.now() - olderThanMs
    for (const conversation of this.#byId.values()) {
      if (conversation.refusal !== undefined && conversation.refusal.since <= until) conversation.refusal = undefined
    }
  }

  ofTopic(topic: string): Conversation | undefined {
    return this.#byTopic.get(topic)
  }

  /** Resolves with the conversation when it has its topic, which is not before the tenant is known. */
  async add(subscription: Subscription): Promise<Conversation> {
    const { conversationId } = subscription
    const conversation = this.#byId.get(conversationId) ?? new Conversation(conversationId)
    this.#byId.set(conversationId, conversation)
    conversation.subscriptions.add(subscription)
    // The page may know more about the membership by now.
    conversation.missing = undefined
    await this.#setTopic(conversation)
    return conversation
  }

  /** @returns the conversation if that was its last subscription */
  delete(subscription: Subscription): Conversation | undefined {
    const { conversationId } = subscription
    const conversation = this.#byId.get(conversationId)
    if (conversation === undefined) return undefined
    conversation.subscriptions.delete(subscription)
    if (conversation.subscriptions.size > 0) return undefined
    this.#byId.delete(conversationId)
    if (conversation.topic !== undefined) this.#byTopic.delete(conversation.topic)
    return conversation
  }

  async #setTopic(conversation: Conversation): Promise<void> {
    if (this.#tenantId === undefined || conversation.topic !== undefined) return
    try {
      const topic = await topicOf(this.#tenantId, conversation.conversationId)
      if (this.#byId.get(conversation.conversationId) !== conversation) return
      conversation.topic = topic
      this.#byTopic.set(topic, conversation)
    } catch (error) {
      this.#report(error as RealtimeError)
    }
  }
}

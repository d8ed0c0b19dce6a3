import { CatchUp } from './catch-up.js'
import { ConnectionKeeper } from './connection-keeper.js'
import type { Conversation } from './conversation.js'
import { Conversations } from './conversations.js'
import { describeCause } from './describe-cause.js'
import type { OpenLink } from './link.js'
import { RealtimeError } from './realtime-error.js'
import { parseMessage } from './realtime-message.js'
import type { ResolvedRealtimeOptions } from './realtime-options.js'
import { type SubscribeOptions, Subscription } from './subscription.js'
import { TokenSource } from './token-source.js'
import { watchPage } from './watch-page.js'

export interface RealtimeClientOptions extends ResolvedRealtimeOptions {
  openLink: OpenLink
  /** From 0 to 1. */
  random: () => number
}

/** After that the broker is asked again about a conversation that it has refused, which may cut off the others for a moment. */
const refusalMs = 10 * 60 * 1000

/** The parts put together: what the broker sends and what is loaded go to the subscriptions. */
export class RealtimeClient {
  readonly #options: RealtimeClientOptions
  readonly #closing = new AbortController()
  readonly #conversations: Conversations
  readonly #catchUp: CatchUp
  readonly #connection: ConnectionKeeper
  #checkTimer: ReturnType<typeof setTimeout> | undefined

  constructor(options: RealtimeClientOptions) {
    const { getToken, timeoutMs, random } = options
    const { signal } = this.#closing
    const common = { ...options, signal, report: (error: RealtimeError) => this.#report(error) }
    this.#options = options
    this.#conversations = new Conversations(common.report)
    this.#catchUp = new CatchUp(common)
    this.#connection = new ConnectionKeeper({
      ...common,
      tokens: new TokenSource({ getToken, timeoutMs, signal, random }),
      conversations: () => this.#conversations.all(),
      onToken: ({ tenantId }) => this.#setTenantId(tenantId),
      onHeard: (conversation) => this.#catchUpWith(conversation),
      onMessage: (topic, payload) => this.#hear(topic, payload),
    })
    watchPage({ onAwake: () => this.#awake(), onOffline: () => this.#connection.drop('there is no network') }, signal)
    this.#scheduleCheck()
  }

  /** @returns ends the subscription; nothing is called after that */
  subscribe(conversationId: string, options: SubscribeOptions): () => void {
    this.#closing.signal.throwIfAborted()
    const subscription = new Subscription(conversationId, options, (error) => this.#report(error))
    void this.#add(subscription)
    return () => this.#remove(subscription)
  }

  close(): void {
    if (this.#closing.signal.aborted) return
    for (const { subscriptions } of this.#conversations.all()) {
      for (const subscription of subscriptions) subscription.close()
    }
    clearTimeout(this.#checkTimer)
    this.#closing.abort(new Error('This client is closed; connect again'))
  }

  async #add(subscription: Subscription): Promise<void> {
    const { isHeard } = await this.#conversations.add(subscription)
    if (!subscription.isOpen) return
    if (isHeard) this.#joinHeard(subscription)
    else this.#connection.update()
  }

  /** The broker sends the conversation already, for another subscription to it. */
  #joinHeard(subscription: Subscription): void {
    subscription.setHeard(true)
    this.#catchUp.ask(subscription)
  }

  #remove(subscription: Subscription): void {
    if (!subscription.isOpen) return
    subscription.close()
    this.#catchUp.forget(subscription)
    const topic = this.#conversations.delete(subscription)?.topic
    if (topic !== undefined) this.#connection.unsubscribe(topic)
  }

  async #setTenantId(tenantId: number): Promise<void> {
    this.#catchUp.tenantId = tenantId
    await this.#conversations.setTenantId(tenantId)
  }

  #catchUpWith({ subscriptions }: Conversation): void {
    for (const subscription of subscriptions) this.#catchUp.ask(subscription)
  }

  #hear(topic: string, payload: Uint8Array): void {
    const conversation = this.#conversations.ofTopic(topic)
    const tenantId = this.#conversations.tenantId
    // The last ones come after the end of a subscription.
    if (conversation === undefined || tenantId === undefined) return
    const { conversationId, subscriptions } = conversation
    const message = parseMessage(parseJson(payload), { conversationId, tenantId })
    if (typeof message === 'string') {
      const text = `a broadcast was dropped: ${message}`
      this.#report(new RealtimeError('INVALID_BROADCAST', text, { conversationId }))
      return
    }
    for (const subscription of [...subscriptions]) {
      subscription.hear(message)
      if (subscription.isOpen && subscription.hasGap) this.#catchUp.fill(subscription)
    }
  }

  #scheduleCheck(): void {
    const { checkEveryMs, random } = this.#options
    const delayMs = checkEveryMs * (0.9 + 0.2 * random())
    this.#checkTimer = setTimeout(() => {
      this.#check()
      this.#scheduleCheck()
    }, delayMs)
  }

  #check(): void {
    const heard = this.#conversations.heard()
    for (const subscription of heard) this.#catchUp.look(subscription)
    // A broker that refuses everything may be about to start; there is nobody whom the attempt would disturb.
    this.#conversations.forgetRefusals({ olderThanMs: heard.length > 0 ? refusalMs : 0 })
    this.#connection.update()
  }

  #awake(): void {
    this.#connection.hurry()
    for (const subscription of this.#conversations.heard()) this.#catchUp.ask(subscription)
  }

  #report(error: RealtimeError): void {
    if (this.#closing.signal.aborted) return
    try {
      this.#options.onError(error)
    } catch (cause) {
      // Nobody else is there to be told.
      reportError(new Error(`onError failed: ${describeCause(cause)}`, { cause }))
    }
  }
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload))
  } catch {
    return 'no JSON'
  }
}

import { openMqttLink } from './open-mqtt-link.js'
import { RealtimeClient } from './realtime-client.js'
import { type RealtimeOptions, resolveRealtimeOptions } from './realtime-options.js'
import type { SubscribeOptions } from './subscription.js'

export interface Realtime {
  /**
   * Hears a conversation: hands on each of its messages once and in order, from `after` + 1 on. Several subscriptions to
   * one conversation are independent of each other.
   *
   * @returns ends the subscription; nothing is called after that
   * @throws TypeError if an argument cannot be used, Error after `close`
   */
  subscribe(conversationId: string, options: SubscribeOptions): () => void
  /** Ends all subscriptions and the connection; nothing is called after that. */
  close(): void
}

/**
 * Connects a page to the conversations that its user may hear. It returns at once, and goes on trying until `close`: what
 * goes wrong is told by `onError`, and what a person should see by the states of the conversations.
 *
 * @throws TypeError if an option cannot be used
 */
export function connectRealtime(options: RealtimeOptions): Realtime {
  const client = new RealtimeClient({
    ...resolveRealtimeOptions(options),
    openLink: openMqttLink,
    random: Math.random,
  })
  return {
    subscribe(conversationId, subscribeOptions) {
      checkSubscription(conversationId, subscribeOptions)
      return client.subscribe(conversationId, subscribeOptions)
    },
    close: () => client.close(),
  }
}

function checkSubscription(conversationId: unknown, options: Partial<SubscribeOptions> | undefined): void {
  if (typeof conversationId !== 'string' || conversationId === '') throw new TypeError('subscribe: expected an id')
  const { after, onMessage, onState = () => {} } = options ?? {}
  if (!Number.isSafeInteger(after) || Number(after) < 0) {
    throw new TypeError(
      `subscribe: after: expected the sequence of the last message that is known, or 0, found ${String(after)}`,
    )
  }
  if (typeof onMessage !== 'function') throw new TypeError('subscribe: onMessage: expected a function')
  if (typeof onState !== 'function') throw new TypeError('subscribe: onState: expected a function')
}

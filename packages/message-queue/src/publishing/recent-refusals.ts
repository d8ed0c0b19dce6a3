import type { OutgoingMessage } from './outgoing-message.js'
import type { Refusal } from './refusal.js'

/** A right that was granted is noticed after so long. */
const lastsMs = 1_000

/**
 * The broker's refusals of the last second. Each refusal costs the channel of the messages beside it, so
 * whoever goes on sending what is forbidden is answered from here and costs them one channel a second.
 */
export class RecentRefusals {
  #entries: { refusal: Refusal; until: number }[] = []

  add(refusal: Refusal): void {
    this.#entries.push({ refusal, until: performance.now() + lastsMs })
  }

  find(message: OutgoingMessage): Refusal | undefined {
    if (this.#entries.length === 0) return undefined
    const now = performance.now()
    this.#entries = this.#entries.filter(({ until }) => until > now)
    return this.#entries.find(({ refusal }) => refusal.applies(message))?.refusal
  }
}

import { describeCause } from './describe-cause.js'
import { RealtimeError } from './realtime-error.js'
import type { RealtimeMessage } from './realtime-message.js'
import { SequenceWindow } from './sequence-window.js'

/**
 * What a page can show about a conversation:
 *
 * - `offline`: nothing is heard of it
 * - `catching-up`: it is heard, and what may be missing is being loaded
 * - `live`: it is heard, and nothing was missing at the last look
 */
export type ConversationState = 'live' | 'catching-up' | 'offline'

export interface SubscribeOptions {
  /** The sequence of the last message that the page has; 0 for a conversation from its beginning. */
  after: number
  /**
   * Called with each message, once and in order. It is not waited for; what it throws is reported, and the next message
   * comes nevertheless.
   */
  onMessage(message: RealtimeMessage): unknown
  /** Called with the first state and with each change, always after `subscribe` has returned. */
  onState?(state: ConversationState): unknown
}

/** One caller's view of a conversation. */
export class Subscription {
  readonly conversationId: string
  readonly #options: SubscribeOptions
  readonly #report: (error: RealtimeError) => void
  readonly #window: SequenceWindow
  #isHeard = false
  #isComplete = false
  #isOpen = true
  #told: ConversationState | undefined
  /** The highest sequence that was heard over the connection. */
  #live = 0
  #loadedAfter = 0
  /** Those that brought something, so that more may come. */
  #answersInRow = 0

  constructor(conversationId: string, options: SubscribeOptions, report: (error: RealtimeError) => void) {
    this.conversationId = conversationId
    this.#options = options
    this.#report = report
    this.#window = new SequenceWindow(options.after)
    this.#tellState()
  }

  get last(): number {
    return this.#window.last
  }

  get hasGap(): boolean {
    return this.#window.hasGap
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isHeard(): boolean {
    return this.#isHeard
  }

  get state(): ConversationState {
    if (!this.#isHeard) return 'offline'
    return this.#isComplete ? 'live' : 'catching-up'
  }

  /** The broker sends the conversation from now on, or does no longer. What came between is not known. */
  setHeard(isHeard: boolean): void {
    if (isHeard === this.#isHeard) return
    this.#isHeard = isHeard
    this.#isComplete = false
    this.#live = 0
    this.#tellState()
  }

  /** A message that the broker has sent. */
  hear(message: RealtimeMessage): void {
    this.#live = Math.max(this.#live, message.sequence)
    this.#window.put(message)
    this.#handOn()
  }

  /**
   * From here on it is asked for what comes after `last`. A gap is shown only now, because the missing message may come a
   * moment later.
   */
  beginLoad(): void {
    if (this.hasGap) this.setIncomplete()
    this.#loadedAfter = this.last
  }

  /** Messages that were loaded, in any order. */
  add(messages: readonly RealtimeMessage[]): void {
    for (const message of [...messages].sort((a, b) => a.sequence - b.sequence)) {
      this.#window.put(message)
      this.#handOn()
    }
  }

  /**
   * Whether nothing is missing after the last answer. An answer that brings something may have been cut, so another one
   * has to follow; unless something was heard that is later than what was asked about, and there is no gap up to that.
   */
  get isLoaded(): boolean {
    return !this.hasGap && (this.#live > this.#loadedAfter || !this.hasAdvanced)
  }

  /** After an answer was added. */
  endLoad(): void {
    const { isLoaded } = this
    this.#answersInRow = isLoaded ? 0 : this.#answersInRow + 1
    if (isLoaded) this.#isComplete = true
    // One answer may be ahead of a broadcast that is on its way, which is no reason to show anything.
    else if (this.hasGap || this.#answersInRow > 1) this.#isComplete = false
    this.#tellState()
  }

  /** The answer has brought something. */
  get hasAdvanced(): boolean {
    return this.last > this.#loadedAfter
  }

  setIncomplete(): void {
    this.#isComplete = false
    this.#tellState()
  }

  /** Nothing is called from now on. */
  close(): void {
    this.#isOpen = false
  }

  #handOn(): void {
    for (let message = this.#takeNext(); message !== undefined; message = this.#takeNext()) {
      const next = message
      this.#call('onMessage', () => this.#options.onMessage(next))
    }
  }

  /** Nothing after `close`, which `onMessage` may call. */
  #takeNext(): RealtimeMessage | undefined {
    return this.#isOpen ? this.#window.take() : undefined
  }

  /** Later, so that a state that lasts no time is not told, and none before `subscribe` has returned. */
  #tellState(): void {
    queueMicrotask(() => {
      const { state } = this
      if (!this.#isOpen || state === this.#told) return
      this.#told = state
      this.#call('onState', () => this.#options.onState?.(state))
    })
  }

  #call(name: string, callback: () => unknown): void {
    const report = (cause: unknown) => {
      const message = `${name} failed: ${describeCause(cause)}`
      this.#report(new RealtimeError('CALLBACK_FAILED', message, { conversationId: this.conversationId, cause }))
    }
    try {
      Promise.resolve(callback()).catch(report)
    } catch (error) {
      report(error)
    }
  }
}

import type { Link, LinkOptions, OpenLink } from '../../src/browser/link.js'
import { LinkClosedError } from '../../src/browser/link-closed-error.js'
import { createMessage } from './create-message.js'

/** A connection whose other end is the test. */
export class FakeLink implements Link {
  readonly options: LinkOptions
  readonly topics = new Set<string>()
  /** Each packet that subscribed. */
  readonly packets: string[][] = []
  isEnded = false
  readonly #broker: FakeBroker
  /** Subscriptions that are not answered. */
  readonly #waiting: { resolve: () => void; reject: (reason: Error) => void }[] = []

  constructor(options: LinkOptions, broker: FakeBroker) {
    this.options = options
    this.#broker = broker
  }

  async subscribe(topics: readonly string[]): Promise<string[]> {
    this.packets.push([...topics])
    if (this.isEnded) throw new Error('the connection is over')
    if (topics.some((topic) => this.#broker.closesAt.has(topic))) {
      this.lose('refused')
      throw new LinkClosedError()
    }
    const refused = topics.filter((topic) => this.#broker.refuses.has(topic))
    for (const topic of topics) if (!refused.includes(topic)) this.topics.add(topic)
    if (this.#broker.isSilent) await new Promise<void>((resolve, reject) => this.#waiting.push({ resolve, reject }))
    this.#broker.onAnswer(this)
    return refused
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic)
  }

  end(): void {
    this.#end(new Error('ended'))
  }

  /** An answer of the broker has taken too long. */
  giveUp(): void {
    this.end()
    this.options.onLost(new Error('too late'))
  }

  #end(reason: Error): void {
    this.isEnded = true
    for (const { reject } of this.#waiting) reject(reason)
  }

  answer(): void {
    for (const { resolve } of this.#waiting.splice(0)) resolve()
  }

  lose(reason = 'cut off'): void {
    if (this.isEnded) return
    this.#end(new LinkClosedError())
    this.options.onLost(new Error(reason))
  }

  send(topic: string, payload: unknown): void {
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
    if (this.topics.has(topic) && !this.isEnded) this.options.onMessage(topic, new TextEncoder().encode(text))
  }
}

/** A broker that the test breaks. */
export class FakeBroker {
  readonly links: FakeLink[] = []
  /** The topics that were asked for, also in vain. */
  readonly urls: string[] = []
  /** Topics that it refuses by its answer. */
  readonly refuses = new Set<string>()
  /** Topics that it refuses by closing the connection. */
  readonly closesAt = new Set<string>()
  /** It answers no subscription until `speak`. */
  isSilent = false
  /** Called at the moment at which subscriptions are answered. */
  onAnswer: (link: FakeLink) => void = () => {}
  /** Set: nobody gets a connection. */
  failure: Error | undefined

  readonly openLink: OpenLink = async (options) => {
    this.urls.push(options.url)
    if (this.failure !== undefined) throw this.failure
    const link = new FakeLink(options, this)
    this.links.push(link)
    return link
  }

  get open(): FakeLink[] {
    return this.links.filter(({ isEnded }) => !isEnded)
  }

  get last(): FakeLink {
    const link = this.links.at(-1)
    if (link === undefined) throw new Error('There was no connection')
    return link
  }

  speak(): void {
    this.isSilent = false
    for (const link of this.open) link.answer()
  }

  /** Over every connection, as RabbitMQ does. */
  broadcast(conversationId: string, ...sequences: number[]): void {
    for (const sequence of sequences) {
      for (const link of this.open) link.send(`chat/42/${conversationId}`, createMessage(conversationId, sequence))
    }
  }
}

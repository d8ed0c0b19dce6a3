import { EventEmitter } from 'node:events'
import { type ConsumeMessage, IllegalOperationError } from 'amqplib'

type OnMessage = (message: ConsumeMessage | null) => void

interface Question {
  answer(): void
  fail(error: Error): void
}

/** A stand-in for the amqplib channel of a consumer, at a broker that answers when the test says so. */
export class FakeConsumerChannel extends EventEmitter {
  /** Everything that was written, in order. Registrations are numbered from 1. */
  readonly written: string[] = []
  /** The tags of the registrations that were asked for, in order. */
  readonly tags: string[] = []
  /** Questions are answered at once, without `answer`. */
  answersAtOnce = false
  /** Messages that are ready in the queue. */
  messageCount = 0
  readonly #callbacks: OnMessage[] = []
  readonly #questions: Question[] = []
  #isClosed = false

  get isClosed(): boolean {
    return this.#isClosed
  }

  async prefetch(count: number): Promise<void> {
    this.#assertOpen()
    this.written.push(`qos ${count}`)
  }

  consume(queue: string, onMessage: OnMessage, { consumerTag }: { consumerTag: string }): Promise<void> {
    this.tags.push(consumerTag)
    this.#callbacks.push(onMessage)
    return this.#ask(`consume ${queue}`)
  }

  cancel(tag: string): Promise<void> {
    return this.#ask(`cancel ${this.tags.indexOf(tag) + 1}`)
  }

  async checkQueue(queue: string): Promise<{ messageCount: number }> {
    await this.#ask(`check ${queue}`)
    return { messageCount: this.messageCount }
  }

  ack({ fields }: ConsumeMessage, allUpTo: boolean): void {
    this.#assertOpen()
    this.written.push(`ack ${allUpTo ? 'up to ' : ''}${fields.deliveryTag}`)
  }

  nack({ fields }: ConsumeMessage, allUpTo: boolean, requeue: boolean): void {
    this.#assertOpen()
    this.written.push(`${requeue ? 'return' : 'reject'} ${allUpTo ? 'up to ' : ''}${fields.deliveryTag}`)
  }

  async close(): Promise<void> {
    this.#assertOpen()
    this.written.push('close')
    this.end()
  }

  /** Answers the oldest question. Resolves when everything has happened that follows from the answer. */
  async answer(): Promise<void> {
    const question = this.#questions.shift()
    if (question === undefined) throw new Error('Expected a question to the broker, found none')
    question.answer()
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** The broker delivers a message, or null to cancel the consumer, by a registration: the last one if none is given. */
  deliver(message: ConsumeMessage | null, registration = this.#callbacks.length): void {
    this.#callbacks[registration - 1]?.(message)
  }

  /** The broker closes the channel. */
  fail(error: Error): void {
    this.emit('error', error)
    this.end(error)
  }

  /** The channel ends, by itself or with its connection; nothing that was asked is answered. */
  end(error = new Error('Channel ended, no reply will be forthcoming')): void {
    if (this.#isClosed) return
    this.#isClosed = true
    for (const question of this.#questions.splice(0)) question.fail(error)
    this.emit('close')
  }

  #ask(question: string): Promise<void> {
    this.#assertOpen()
    this.written.push(question)
    if (this.answersAtOnce) return Promise.resolve()
    return new Promise((answer, fail) => {
      this.#questions.push({ answer, fail })
    })
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new IllegalOperationError('Channel closed', '')
  }
}

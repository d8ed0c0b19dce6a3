// @ts-check
import { setTimeout as sleep } from 'node:timers/promises'
import { queueNames, toMessageId, workerOf } from '../workers.mjs'
import { readEffects } from './effects.mjs'

/** @typedef {import('../workers.mjs').QueueName} QueueName */
/** @typedef {{ queue: QueueName, sentAt: number, confirmedAt?: number, doneAt?: number, effects: number, tries: number }} Sent */

const pollMs = 500
/** What an application sends again, with the same id. */
const retriedCodes = new Set(['PUBLISH_TIMEOUT', 'QUEUE_UNAVAILABLE', 'QUEUE_FULL'])

/** Sends to each queue, evenly, until it is stopped, and watches for the effects. */
export class Traffic {
  /** @type {Map<string, Sent>} by message id */
  messages = new Map()
  /** @type {Map<string, number>} sends that were tried again, by the code of the error */
  retries = new Map()
  /** @type {string[]} */
  faults = []
  #sending = true
  #watching = true
  /** @type {Promise<void>[]} */
  #sends = []
  #messageQueue
  #sources
  #sender
  #watcher

  /**
   * @param {import('@mono/message-queue').MessageQueue} messageQueue
   * @param {import('./effects.mjs').Sources} sources
   * @param {{ perSecond: number }} options to each queue
   */
  constructor(messageQueue, sources, { perSecond }) {
    this.#messageQueue = messageQueue
    this.#sources = sources
    this.#sender = this.#send(1000 / perSecond)
    this.#watcher = this.#watch()
    // Whoever stops it is told.
    this.#watcher.catch(() => {})
  }

  /** Sends no more; resolves when all is confirmed. */
  async stopSending() {
    this.#sending = false
    await this.#sender
    await Promise.all(this.#sends)
  }

  async stopWatching() {
    this.#watching = false
    await this.#watcher
  }

  /** Ends, whatever is under way. */
  async end() {
    this.#sending = false
    this.#watching = false
    await this.#watcher
  }

  /** @param {QueueName} queue */
  of(queue) {
    return [...this.messages.values()].filter((message) => message.queue === queue)
  }

  /** How many of those sent until then are not done. @param {number} [until] */
  countOpen(until = Number.POSITIVE_INFINITY) {
    return [...this.messages.values()].filter(({ sentAt, doneAt }) => sentAt <= until && doneAt === undefined).length
  }

  /** Waits until everything sent by now is done. @param {number} timeoutMs */
  async untilDone(timeoutMs) {
    const now = performance.now()
    while (this.countOpen(now) > 0 && performance.now() < now + timeoutMs) await sleep(pollMs)
    return this.countOpen(now)
  }

  /** Waits until whatever was sent longer ago than this is done. @param {{ ageMs: number, timeoutMs: number }} options */
  async untilCaughtUp({ ageMs, timeoutMs }) {
    const deadline = performance.now() + timeoutMs
    while (this.countOpen(performance.now() - ageMs) > 0 && performance.now() < deadline) await sleep(pollMs)
    return this.countOpen(performance.now() - ageMs)
  }

  /** @param {number} everyMs */
  async #send(everyMs) {
    const startedAt = performance.now()
    for (let index = 0; this.#sending; index += 1) {
      for (const queue of queueNames) this.#sends.push(this.#publish(queue, index))
      await sleep(Math.max(0, startedAt + (index + 1) * everyMs - performance.now()))
    }
  }

  /** @param {QueueName} queue @param {number} index */
  async #publish(queue, index) {
    const { createPayload, send } = workerOf(queue)
    const id = toMessageId(queue, index)
    const payload = createPayload(index, id)
    /** @type {Sent} */
    const message = { queue, sentAt: performance.now(), effects: 0, tries: 0 }
    this.messages.set(id, message)
    for (;;) {
      message.tries += 1
      try {
        await send(this.#messageQueue, payload, id)
        message.confirmedAt = performance.now()
        return
      } catch (error) {
        const { code } = /** @type {{ code: string }} */ (error)
        if (!retriedCodes.has(code) || !this.#watching) return void this.faults.push(`${id}: ${error}`)
        this.retries.set(code, (this.retries.get(code) ?? 0) + 1)
      }
    }
  }

  async #watch() {
    while (this.#watching) {
      for (const queue of queueNames) {
        const counts = new Map()
        for (const id of await readEffects(queue, this.#sources)) counts.set(id, (counts.get(id) ?? 0) + 1)
        const now = performance.now()
        for (const [id, count] of counts) {
          const message = this.messages.get(id)
          if (message === undefined) continue
          message.doneAt ??= now
          message.effects = count
        }
      }
      await sleep(pollMs)
    }
  }
}

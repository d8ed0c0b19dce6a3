// @ts-check

import { call } from './api.js'
import { createId } from './create-id.js'
import { delayAfter, wait } from './delay.js'
import { isAccepted } from './outgoing-state.js'
import { keep, readKept } from './storage.js'

/** @import { ApiError } from './api.js' */
/** @import { Outgoing } from './outgoing-state.js' */
/** @import { Accepted, PendingMessage, Session } from './types.js' */

const retryMs = [1_000, 2_000, 4_000, 8_000]

/** The messages of one conversation on their way: those written on this page, and what the server says is pending. */
export class OutgoingMessages {
  /** The text that was begun here and not sent. */
  draft = ''
  #path
  #storageKey
  #senderId
  #onAccepted
  /** @type {Map<string, Outgoing>} in the order of writing */
  #byId = new Map()
  #onChange = () => {}
  /** @type {Promise<void>} */
  #lastSent = Promise.resolve()
  #isClosed = false

  /**
   * A message that was written before the page was loaded again is sent now, under the id that it has.
   *
   * @param {{ conversationId: string, session: Session, onAccepted: (messageId: string) => void }} options
   */
  constructor({ conversationId, session, onAccepted }) {
    this.#path = `/conversations/${encodeURIComponent(conversationId)}/messages`
    this.#storageKey = `unsent ${session.tenantId} ${session.userId} ${conversationId}`
    this.#senderId = session.userId
    this.#onAccepted = onAccepted
    window.addEventListener('pagehide', this.#keep)
    /** @type {Outgoing[]} */
    const unsent = readKept('sessionStorage', this.#storageKey) ?? []
    for (const message of unsent) {
      if (message.state === 'not-accepted') this.#byId.set(message.messageId, message)
      else this.#enqueue({ ...message, mayBeAccepted: message.mayBeAccepted || message.state === 'sending' })
    }
  }

  /** Called after each change, in place of the listener before. @param {() => void} listener */
  onChange(listener) {
    this.#onChange = listener
  }

  list() {
    return [...this.#byId.values()]
  }

  /** True while the server has accepted messages that are not stored yet. */
  get hasAccepted() {
    return this.list().some(({ state }) => state === 'waiting' || state === 'sent')
  }

  /** @param {string} content */
  send(content) {
    const message = { messageId: createId(), senderId: this.#senderId, content, timestamp: new Date() }
    this.#enqueue({ ...message, state: 'queued', reason: '', mayBeAccepted: false })
  }

  /** Sends a message that was not accepted once more. @param {string} messageId */
  sendAgain(messageId) {
    const message = this.#byId.get(messageId)
    if (message?.state === 'not-accepted') this.#enqueue(message)
  }

  /** The message has its place in the conversation, or is given up. @param {string} messageId */
  remove(messageId) {
    if (this.#byId.delete(messageId)) this.#onChange()
  }

  /**
   * Takes over what the server says is accepted and not stored. A message that it does not name may be stored, or too old to
   * be named; the stored one will tell.
   *
   * @param {PendingMessage[]} pending
   * @param {(messageId: string) => boolean} isStored
   */
  takePending(pending, isStored) {
    for (const message of pending) {
      const isNews = this.#byId.get(message.messageId)?.state !== message.state && !isStored(message.messageId)
      if (isNews) this.#byId.set(message.messageId, { ...message, reason: '', mayBeAccepted: true })
    }
    this.#onChange()
  }

  /** Nothing is sent after that, until the user is here again. */
  close() {
    this.#keep()
    window.removeEventListener('pagehide', this.#keep)
    this.#isClosed = true
    this.#onChange = () => {}
  }

  /** Keeps, for this window, the messages of which the server has not said that it accepted them. */
  #keep = () => {
    const unsent = this.list().filter((message) => !isAccepted(message))
    keep('sessionStorage', this.#storageKey, unsent.length > 0 ? unsent : undefined)
  }

  /** @param {Outgoing} message */
  #enqueue(message) {
    const { messageId, mayBeAccepted } = message
    this.#byId.set(messageId, { ...message, state: mayBeAccepted ? 'unknown' : 'queued' })
    this.#onChange()
    this.#lastSent = this.#sendAfter(this.#lastSent, messageId)
  }

  /**
   * @param {Promise<void>} predecessor
   * @param {string} messageId
   */
  async #sendAfter(predecessor, messageId) {
    await predecessor
    for (let attempt = 0; !this.#isClosed && (await this.#send(messageId)); attempt += 1) {
      await wait(delayAfter(attempt, retryMs))
    }
  }

  /**
   * @param {string} messageId
   * @returns {Promise<boolean>} whether to send it again, because the server may or may not have it
   */
  async #send(messageId) {
    const message = this.#byId.get(messageId)
    if (!message || isAccepted(message)) return false
    if (!message.mayBeAccepted) this.#change(messageId, { state: 'sending' })
    try {
      /** @type {Accepted} */
      const { brokerConnected } = await call('POST', this.#path, { body: { messageId, content: message.content } })
      this.#onAccepted(messageId)
      this.#change(messageId, { state: brokerConnected ? 'sent' : 'waiting', reason: '' })
      return false
    } catch (error) {
      const { message: reason, accepted, isFinal } = /** @type {ApiError} */ (error)
      const mayBeAccepted = !isFinal && (message.mayBeAccepted || accepted === 'unknown')
      this.#change(messageId, { state: mayBeAccepted ? 'unknown' : 'not-accepted', reason, mayBeAccepted })
      return mayBeAccepted
    }
  }

  /** A message that has its place meanwhile is left alone. @param {string} messageId @param {Partial<Outgoing>} change */
  #change(messageId, change) {
    const current = this.#byId.get(messageId)
    if (!current) return
    this.#byId.set(messageId, { ...current, ...change })
    this.#onChange()
  }
}

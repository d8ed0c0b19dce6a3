// @ts-check
import { ApiError, call } from './api.js'
import { keepUnsent, readUnsent } from './unsent.js'

/** @import { Accepted, Message, PendingMessage, Session } from './types.js' */

/**
 * What became of a message that has no place in its conversation yet.
 *
 * - `queued`: it waits for the one before, so that the conversation keeps the order of writing
 * - `sending`: the server is being asked
 * - `unknown`: the server may have accepted it; it is sent again, with the same id
 * - `not-accepted`: it is on this page and nowhere else
 * - `waiting`, `sent`, `refused`: accepted, as `PendingMessage` says
 *
 * @typedef {'queued' | 'sending' | 'unknown' | 'not-accepted' | PendingMessage['state']} OutgoingState
 */

/** @typedef {Message & { state: OutgoingState, reason: string }} Outgoing */

const retryMs = [1_000, 2_000, 4_000, 8_000]

/** The messages of one conversation on their way: those written on this page, and what the server says is pending. */
export class OutgoingMessages {
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
   * What a page that was loaded before had not sent is sent now, under the ids that it has.
   *
   * @param {{ conversationId: string, session: Session, onAccepted: (messageId: string) => void }} options
   */
  constructor({ conversationId, session, onAccepted }) {
    this.#path = `/conversations/${encodeURIComponent(conversationId)}/messages`
    this.#storageKey = `unsent ${session.tenantId} ${session.userId} ${conversationId}`
    this.#senderId = session.userId
    this.#onAccepted = onAccepted
    window.addEventListener('pagehide', this.#keep)
    for (const message of readUnsent(this.#storageKey)) {
      if (message.state === 'not-accepted') this.#byId.set(message.messageId, message)
      else this.#enqueue({ ...message, state: 'queued' })
    }
  }

  /** Called after each change, in place of whoever was called before. @param {() => void} listener */
  onChange(listener) {
    this.#onChange = listener
  }

  list() {
    return [...this.#byId.values()]
  }

  /** Whether the server has accepted messages that are not stored yet. */
  get hasAccepted() {
    return this.list().some(({ state }) => state === 'waiting' || state === 'sent')
  }

  /** @param {string} content */
  send(content) {
    const messageId = createId()
    const message = { messageId, senderId: this.#senderId, content, timestamp: new Date(), reason: '' }
    this.#enqueue({ ...message, state: 'queued' })
  }

  /** Sends a message that was not accepted once more. @param {string} messageId */
  sendAgain(messageId) {
    const message = this.#byId.get(messageId)
    if (message?.state === 'not-accepted') this.#enqueue({ ...message, state: 'queued', reason: '' })
  }

  /** The message has its place in the conversation, or is given up. @param {string} messageId */
  remove(messageId) {
    if (this.#byId.delete(messageId)) this.#onChange()
  }

  /**
   * Takes over what the server says is accepted and not stored.
   *
   * @param {PendingMessage[]} pending
   * @param {{ isStored(messageId: string): boolean, askedFor: Set<string> }} known `askedFor`: the ids that were accepted
   *   before the server was asked, so that those which it does not name are stored
   */
  takePending(pending, { isStored, askedFor }) {
    const named = new Set(pending.map(({ messageId }) => messageId))
    for (const messageId of askedFor) if (!named.has(messageId)) this.#byId.delete(messageId)
    for (const message of pending) {
      const isNews = this.#byId.get(message.messageId)?.state !== message.state && !isStored(message.messageId)
      if (isNews) this.#byId.set(message.messageId, { ...message, reason: '' })
    }
    this.#onChange()
  }

  acceptedIds() {
    const accepted = this.list().filter(({ state }) => state === 'waiting' || state === 'sent' || state === 'refused')
    return new Set(accepted.map(({ messageId }) => messageId))
  }

  /** Nothing is sent after that, until the user is here again. */
  close() {
    this.#keep()
    window.removeEventListener('pagehide', this.#keep)
    this.#isClosed = true
    this.#onChange = () => {}
  }

  #keep = () => keepUnsent(this.#storageKey, this.list())

  /** @param {Outgoing} message */
  #enqueue(message) {
    this.#set(message)
    this.#lastSent = this.#sendAfter(this.#lastSent, message)
  }

  /**
   * @param {Promise<void>} predecessor
   * @param {Outgoing} message
   */
  async #sendAfter(predecessor, message) {
    await predecessor
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      if (attempt === 0) this.#change(message, { state: 'sending' })
      try {
        const body = { messageId: message.messageId, content: message.content }
        /** @type {Accepted} */
        const { brokerConnected } = await call('POST', this.#path, { body })
        this.#onAccepted(message.messageId)
        return this.#change(message, { state: brokerConnected ? 'sent' : 'waiting', reason: '' })
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        const isUnknown = error instanceof ApiError && error.accepted === 'unknown'
        if (!isUnknown) return this.#change(message, { state: 'not-accepted', reason })
        this.#change(message, { state: 'unknown', reason })
        await new Promise((resolve) => setTimeout(resolve, retryMs[Math.min(attempt, retryMs.length - 1)]))
      }
    }
  }

  /** Not if it has its place meanwhile. @param {Outgoing} message @param {Pick<Outgoing, 'state'> & Partial<Outgoing>} change */
  #change(message, change) {
    const current = this.#byId.get(message.messageId)
    if (current) this.#set({ ...current, ...change })
  }

  /** @param {Outgoing} message */
  #set(message) {
    this.#byId.set(message.messageId, message)
    this.#onChange()
  }
}

/** `crypto.randomUUID` is there only for pages that came by https: or from this machine. */
function createId() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

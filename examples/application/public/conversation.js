// @ts-check
import { call } from './api.js'
import { Composer } from './composer.js'
import { byId, showText } from './dom.js'
import { PendingList } from './pending-list.js'
import { Timeline } from './timeline.js'
import { describeConversation } from './words.js'

/** @import { ConversationState, Realtime } from '@mono/realtime/browser' */
/** @import { ApiError } from './api.js' */
/** @import { OutgoingMessages } from './outgoing.js' */
/** @import { SenderOf } from './timeline.js' */
/** @import { Conversation, PendingMessage, StoredMessage } from './types.js' */

/** The server gives so many messages in one answer. */
const pageLength = 200

/** So many of the newest messages are loaded at first. */
const firstLength = 100

const askAgainMs = 3_000

/**
 * @typedef {object} ConversationOptions
 * @property {Conversation} conversation
 * @property {Realtime} realtime
 * @property {OutgoingMessages} outgoing
 * @property {SenderOf} describeSender
 * @property {(message: StoredMessage) => void} onStored
 */

/** The conversation that is open: what is stored, what is on its way, and how well it is heard. */
export class OpenConversation {
  #options
  #log = byId('log', HTMLElement)
  #earlier = byId('earlier', HTMLButtonElement)
  #trouble = byId('messages-trouble', HTMLElement)
  #composer
  #timeline
  #pending
  /** @type {StoredMessage[]} heard, and not shown yet */
  #arrived = []
  #isOpen = true
  #isLoaded = false
  /** @type {ConversationState} */
  #state = 'offline'
  #unsubscribe = () => {}
  #timer = 0

  /** @param {ConversationOptions} options */
  constructor(options) {
    this.#options = options
    const { conversation, outgoing, describeSender } = options
    this.#timeline = new Timeline({ list: byId('stored', HTMLElement), describeSender })
    this.#pending = new PendingList({
      list: byId('pending', HTMLElement),
      outgoing,
      describeSender,
      onChosen: () => this.#composer.focus(),
    })
    this.#composer = new Composer(outgoing.draft, (content) => {
      outgoing.send(content)
      this.#scrollToEnd()
    })
    this.#earlier.onclick = () => this.#loadEarlier()
    byId('conversation-title', HTMLElement).textContent = conversation.title
    outgoing.onChange(() => this.#renderPending())
    this.#renderPending()
    this.#showState('offline')
    void this.#open()
  }

  close() {
    this.#isOpen = false
    clearTimeout(this.#timer)
    this.#unsubscribe()
    this.#options.outgoing.draft = this.#composer.close()
    this.#options.outgoing.onChange(() => {})
    byId('stored', HTMLElement).replaceChildren()
    byId('pending', HTMLElement).replaceChildren()
    byId('conversation-title', HTMLElement).textContent = ''
    this.#showState('offline')
  }

  /** Asks the server for what may have come, and what is pending. */
  refresh() {
    return this.#ask()
  }

  async #open() {
    const { conversation, realtime } = this.#options
    this.#log.setAttribute('aria-busy', 'true')
    await this.#ask()
    if (!this.#isOpen) return
    this.#unsubscribe = realtime.subscribe(conversation.conversationId, {
      after: this.#after,
      onMessage: (message) => this.#receive(message),
      onState: (state) => this.#showState(state),
    })
    this.#scrollToEnd()
    this.#askAgain()
  }

  /** While the conversation is not heard, or something is pending, the server is asked instead. */
  #askAgain() {
    this.#timer = setTimeout(async () => {
      if (this.#state !== 'live' || this.#options.outgoing.hasAccepted) await this.refresh()
      if (this.#isOpen) this.#askAgain()
    }, askAgainMs)
  }

  /** The number after which messages are to be loaded: that of the last one shown, or at first of the last one left out. */
  get #after() {
    return this.#timeline.lastSequence || Math.max(0, this.#options.conversation.lastSequence - firstLength)
  }

  /** Loads what comes after the last one, and what is pending. */
  async #ask() {
    const answer = await this.#load(this.#after)
    if (!answer || !this.#isOpen) return
    this.#add(answer.messages)
    this.#isLoaded = true
    this.#options.outgoing.takePending(answer.pending, (messageId) => this.#timeline.has(messageId))
  }

  async #loadEarlier() {
    const first = this.#timeline.firstSequence
    const answer = await this.#load(Math.max(0, first - 1 - pageLength))
    if (!answer || !this.#isOpen) return
    this.#add(answer.messages.filter(({ sequence }) => sequence < first))
  }

  /**
   * @param {number} after
   * @returns {Promise<{ messages: StoredMessage[], pending: PendingMessage[] } | undefined>} undefined: the page says why
   */
  async #load(after) {
    const path = `/conversations/${encodeURIComponent(this.#options.conversation.conversationId)}/messages`
    try {
      const answer = await call('GET', `${path}?after=${after}`)
      showText(this.#trouble, '')
      return answer
    } catch (error) {
      const { message, isUnavailable } = /** @type {ApiError} */ (error)
      if (this.#isOpen && !isUnavailable) showText(this.#trouble, `Messages cannot be loaded: ${message}.`)
      return undefined
    }
  }

  /** Messages that come together are shown together: to lay out the page for each of a thousand takes seconds. @param {StoredMessage} message */
  #receive(message) {
    if (this.#arrived.push(message) > 1) return
    queueMicrotask(() => {
      const messages = this.#arrived
      this.#arrived = []
      if (this.#isOpen) this.#add(messages)
    })
  }

  /** @param {StoredMessage[]} messages */
  #add(messages) {
    for (const message of messages) {
      this.#timeline.add(message)
      this.#options.outgoing.remove(message.messageId)
      this.#options.onStored(message)
    }
    this.#earlier.hidden = this.#timeline.firstSequence <= 1
    this.#showEmpty()
  }

  #renderPending() {
    this.#pending.render()
    this.#showEmpty()
  }

  #showEmpty() {
    const isEmpty = this.#isLoaded && this.#timeline.lastSequence === 0 && this.#options.outgoing.list().length === 0
    byId('empty', HTMLElement).hidden = !isEmpty
  }

  /** @param {ConversationState} state */
  #showState(state) {
    this.#state = state
    const shown = byId('state', HTMLElement)
    shown.dataset.state = state
    shown.textContent = describeConversation(state)
    // A screen reader is to be told of what is new, not of a whole conversation.
    this.#log.setAttribute('aria-busy', String(state === 'catching-up'))
  }

  /** The log is laid out from its end, so that it stays there by itself. */
  #scrollToEnd() {
    this.#log.scrollTop = 0
  }
}

// @ts-check
import { call } from './api.js'
import { Composer } from './composer.js'
import { button, byId, element, showText } from './dom.js'
import { renderMessage, Timeline } from './timeline.js'
import { describeConversation, describeOutgoing } from './words.js'

/** @import { ConversationState, Realtime } from '@mono/realtime/browser' */
/** @import { OutgoingMessages } from './outgoing.js' */
/** @import { SenderOf } from './timeline.js' */
/** @import { Conversation, PendingMessage, StoredMessage } from './types.js' */

/** As many as the server gives in one answer. */
const pageLength = 200

/** How many of the newest are loaded at first. */
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
  #pendingList = byId('pending', HTMLElement)
  #earlier = byId('earlier', HTMLButtonElement)
  #trouble = byId('messages-trouble', HTMLElement)
  #composer
  #timeline
  #isOpen = true
  /** @type {ConversationState} */
  #state = 'offline'
  #unsubscribe = () => {}
  #timer = 0

  /** @param {ConversationOptions} options */
  constructor(options) {
    this.#options = options
    const { conversation, outgoing, describeSender } = options
    const stored = byId('stored', HTMLElement)
    stored.replaceChildren()
    this.#timeline = new Timeline({ list: stored, describeSender })
    this.#composer = new Composer((content) => {
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
    this.#composer.close()
    this.#options.outgoing.onChange(() => {})
  }

  async #open() {
    const { conversation, realtime } = this.#options
    this.#log.setAttribute('aria-busy', 'true')
    await this.#ask(Math.max(0, conversation.lastSequence - firstLength))
    if (!this.#isOpen) return
    const after = this.#timeline.lastSequence || Math.max(0, conversation.lastSequence - firstLength)
    this.#unsubscribe = realtime.subscribe(conversation.conversationId, {
      after,
      onMessage: (message) => this.#add([message]),
      onState: (state) => this.#showState(state),
    })
    this.#scrollToEnd()
    this.#askAgain()
  }

  /** While the conversation is not heard, or something is pending, the server is asked instead. */
  #askAgain() {
    this.#timer = setTimeout(async () => {
      if (this.#state !== 'live' || this.#options.outgoing.hasAccepted) await this.#ask(this.#timeline.lastSequence)
      if (this.#isOpen) this.#askAgain()
    }, askAgainMs)
  }

  /** Loads what comes after a number, and what is pending. @param {number} after */
  async #ask(after) {
    const { outgoing } = this.#options
    const askedFor = outgoing.acceptedIds()
    const answer = await this.#load(after)
    if (!answer || !this.#isOpen) return
    this.#add(answer.messages)
    outgoing.takePending(answer.pending, { isStored: (id) => this.#timeline.has(id), askedFor })
  }

  async #loadEarlier() {
    const first = this.#timeline.firstSequence
    const answer = await this.#load(Math.max(0, first - 1 - pageLength))
    if (!answer || !this.#isOpen) return
    const heightBefore = this.#log.scrollHeight
    this.#add(answer.messages.filter(({ sequence }) => sequence < first))
    this.#log.scrollTop += this.#log.scrollHeight - heightBefore
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
      if (this.#isOpen) showText(this.#trouble, `Messages cannot be loaded: ${/** @type {Error} */ (error).message}.`)
      return undefined
    }
  }

  /** @param {StoredMessage[]} messages */
  #add(messages) {
    const isAtEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80
    for (const message of messages) {
      this.#timeline.add(message)
      this.#options.outgoing.remove(message.messageId)
      this.#options.onStored(message)
    }
    this.#earlier.hidden = this.#timeline.firstSequence <= 1
    this.#showEmpty()
    if (isAtEnd) this.#scrollToEnd()
  }

  #renderPending() {
    const { outgoing, describeSender } = this.#options
    const items = outgoing.list().map((message) => {
      const item = renderMessage(message, describeSender(message))
      item.classList.add('pending')
      item.dataset.state = message.state
      const state = element('p', { class: 'fate' }, describeOutgoing(message))
      item.append(state)
      if (message.state === 'not-accepted') {
        state.append(
          ' ',
          button('Send again', () => outgoing.sendAgain(message.messageId)),
          ' ',
          button('Discard', () => outgoing.remove(message.messageId)),
        )
      }
      return item
    })
    this.#pendingList.replaceChildren(...items)
    this.#pendingList.hidden = items.length === 0
    this.#showEmpty()
  }

  #showEmpty() {
    const isEmpty = this.#timeline.lastSequence === 0 && this.#options.outgoing.list().length === 0
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

  #scrollToEnd() {
    this.#log.scrollTop = this.#log.scrollHeight
  }
}

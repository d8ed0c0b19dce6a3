// @ts-check
import { byId, element, showText } from './dom.js'
import { count } from './words.js'

/** @import { Realtime } from '@mono/realtime/browser' */
/** @import { ReadMarks } from './read-marks.js' */
/** @import { Conversation } from './types.js' */

/** The user's conversations, with how much is new in each. */
export class ConversationList {
  #list = byId('conversation-list', HTMLElement)
  #rows
  #readMarks
  #onChoose
  #chosen = ''
  /** The number of the last message that the open conversation shows. */
  #shown = 0
  #isRendering = false

  /**
   * @param {{ conversations: Conversation[], realtime: Realtime, readMarks: ReadMarks, onChoose: (c: Conversation) => void }} options
   */
  constructor({ conversations, realtime, readMarks, onChoose }) {
    this.#readMarks = readMarks
    this.#onChoose = onChoose
    this.#rows = conversations.map((conversation) => createRow(conversation, () => this.choose(conversation)))
    this.#list.replaceChildren(...this.#rows.map(({ item }) => item))
    for (const conversation of conversations) {
      realtime.subscribe(conversation.conversationId, {
        after: conversation.lastSequence,
        onMessage: ({ sequence }) => this.#raise(conversation, sequence),
      })
    }
    document.addEventListener('visibilitychange', this.#render)
    this.#render()
  }

  /** @param {Conversation} conversation */
  choose(conversation) {
    this.#chosen = conversation.conversationId
    this.#shown = 0
    this.#onChoose(conversation)
    this.#render()
  }

  /** The conversation that is open shows this message. @param {Conversation} conversation @param {number} sequence */
  show(conversation, sequence) {
    this.#shown = Math.max(this.#shown, sequence)
    this.#raise(conversation, sequence)
  }

  close() {
    document.removeEventListener('visibilitychange', this.#render)
    document.title = 'Conversations'
    this.#list.replaceChildren()
  }

  /** There is a message of this number. @param {Conversation} conversation @param {number} sequence */
  #raise(conversation, sequence) {
    conversation.lastSequence = Math.max(conversation.lastSequence, sequence)
    if (this.#isRendering) return
    this.#isRendering = true
    queueMicrotask(this.#render)
  }

  #render = () => {
    this.#isRendering = false
    if (document.visibilityState === 'visible') this.#readMarks.raise(this.#chosen, this.#shown)
    let unreadOfAll = 0
    for (const { conversation, button, total, news } of this.#rows) {
      const { conversationId, lastSequence } = conversation
      const unread = Math.max(0, lastSequence - this.#readMarks.get(conversationId))
      unreadOfAll += unread
      if (conversationId === this.#chosen) button.setAttribute('aria-current', 'true')
      else button.removeAttribute('aria-current')
      showText(total, lastSequence === 0 ? 'no messages' : count(lastSequence, 'message', 'messages'))
      showText(news, unread === 0 ? '' : `${unread} new`)
    }
    document.title = unreadOfAll > 0 ? `(${unreadOfAll}) Conversations` : 'Conversations'
  }
}

/**
 * @param {Conversation} conversation
 * @param {() => void} onClick
 */
function createRow(conversation, onClick) {
  const title = element('span', { class: 'title', dir: 'auto' }, conversation.title)
  const total = element('span', { class: 'total' })
  const news = element('span', { class: 'unread' })
  const button = element('button', { type: 'button', class: 'conversation' }, title, ' ', total, ' ', news)
  button.addEventListener('click', onClick)
  return { conversation, item: element('li', {}, button), button, total, news }
}

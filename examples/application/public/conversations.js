// @ts-check
import { byId, element } from './dom.js'
import { count } from './words.js'

/** @import { Realtime } from '@mono/realtime/browser' */
/** @import { ReadMarks } from './read-marks.js' */
/** @import { Conversation } from './types.js' */

/** The user's conversations, with how much is new in each. */
export class ConversationList {
  #list = byId('conversation-list', HTMLElement)
  #conversations
  #readMarks
  #onChoose
  #chosen = ''
  #isRendering = false

  /**
   * @param {{ conversations: Conversation[], realtime: Realtime, readMarks: ReadMarks, onChoose: (c: Conversation) => void }} options
   */
  constructor({ conversations, realtime, readMarks, onChoose }) {
    this.#conversations = conversations
    this.#readMarks = readMarks
    this.#onChoose = onChoose
    for (const conversation of conversations) {
      realtime.subscribe(conversation.conversationId, {
        after: conversation.lastSequence,
        onMessage: ({ sequence }) => this.raise(conversation, sequence),
      })
    }
    document.addEventListener('visibilitychange', this.#render)
    this.#render()
  }

  /** @param {Conversation} conversation */
  choose(conversation) {
    this.#chosen = conversation.conversationId
    this.#onChoose(conversation)
    this.#render()
  }

  /** There is a message of this number. @param {Conversation} conversation @param {number} sequence */
  raise(conversation, sequence) {
    conversation.lastSequence = Math.max(conversation.lastSequence, sequence)
    if (this.#isRendering) return
    this.#isRendering = true
    requestAnimationFrame(this.#render)
  }

  close() {
    document.removeEventListener('visibilitychange', this.#render)
    document.title = 'Conversations'
    this.#list.replaceChildren()
  }

  #render = () => {
    this.#isRendering = false
    let unreadOfAll = 0
    const items = this.#conversations.map((conversation) => {
      const { conversationId, lastSequence } = conversation
      const isOpen = conversationId === this.#chosen
      if (isOpen && document.visibilityState === 'visible') this.#readMarks.set(conversationId, lastSequence)
      const unread = Math.max(0, lastSequence - this.#readMarks.get(conversationId))
      unreadOfAll += unread
      return renderConversation(conversation, { isOpen, unread, onClick: () => this.choose(conversation) })
    })
    const focused = [...this.#list.children].findIndex((item) => item.contains(document.activeElement))
    this.#list.replaceChildren(...items)
    items[focused]?.querySelector('button')?.focus()
    document.title = unreadOfAll > 0 ? `(${unreadOfAll}) Conversations` : 'Conversations'
  }
}

/**
 * @param {Conversation} conversation
 * @param {{ isOpen: boolean, unread: number, onClick: () => void }} options
 */
function renderConversation({ title, lastSequence }, { isOpen, unread, onClick }) {
  const row = element(
    'button',
    { type: 'button', class: 'conversation', 'aria-current': isOpen && 'true' },
    element('span', { class: 'title', dir: 'auto' }, title),
    ' ',
    element(
      'span',
      { class: 'total' },
      lastSequence === 0 ? 'no messages' : count(lastSequence, 'message', 'messages'),
    ),
  )
  if (unread > 0) row.append(' ', element('span', { class: 'unread' }, `${unread} new`))
  row.addEventListener('click', onClick)
  return element('li', {}, row)
}

// @ts-check
import { button, element } from './dom.js'
import { renderMessage } from './timeline.js'
import { describeOutgoing } from './words.js'

/** @import { OutgoingMessages } from './outgoing.js' */
/** @import { Outgoing } from './outgoing-state.js' */
/** @import { SenderOf } from './timeline.js' */

/** The messages on their way, each with what is known of it. Only what has changed is touched, so that focus stays. */
export class PendingList {
  #list
  #outgoing
  #describeSender
  #onChosen
  /** @type {Map<string, { message: Outgoing, item: HTMLElement, fate: HTMLElement }>} */
  #shown = new Map()

  /**
   * @param {object} options
   * @param {HTMLElement} options.list
   * @param {OutgoingMessages} options.outgoing
   * @param {SenderOf} options.describeSender
   * @param {() => void} options.onChosen called when a button of a message is about to go, and with it the focus
   */
  constructor({ list, outgoing, describeSender, onChosen }) {
    this.#list = list
    this.#outgoing = outgoing
    this.#describeSender = describeSender
    this.#onChosen = onChosen
  }

  render() {
    const messages = this.#outgoing.list()
    const ids = new Set(messages.map(({ messageId }) => messageId))
    for (const [messageId, { item }] of this.#shown) {
      if (ids.has(messageId)) continue
      item.remove()
      this.#shown.delete(messageId)
    }
    for (const message of messages) this.#renderMessage(message)
    this.#list.hidden = messages.length === 0
  }

  /** @param {Outgoing} message */
  #renderMessage(message) {
    const shown = this.#shown.get(message.messageId) ?? this.#append(message)
    if (shown.message === message) return
    shown.message = message
    shown.item.dataset.state = message.state
    shown.fate.replaceChildren(describeOutgoing(message), ...this.#buttonsFor(message))
  }

  /** @param {Outgoing} message */
  #append(message) {
    const item = renderMessage(message, this.#describeSender(message))
    const fate = element('p', { class: 'fate' }, describeOutgoing(message), ...this.#buttonsFor(message))
    item.classList.add('pending')
    item.dataset.state = message.state
    item.append(fate)
    this.#list.append(item)
    const shown = { message, item, fate }
    this.#shown.set(message.messageId, shown)
    return shown
  }

  /** @param {Outgoing} message */
  #buttonsFor({ messageId, state }) {
    if (state !== 'not-accepted') return []
    const sendAgain = button('Send again', () => {
      this.#onChosen()
      this.#outgoing.sendAgain(messageId)
    })
    const discard = button('Discard', () => {
      this.#onChosen()
      this.#outgoing.remove(messageId)
    })
    return [element('span', { class: 'choices' }, sendAgain, ' ', discard)]
  }
}

// @ts-check
import { button, element, time } from './dom.js'

/** @import { Message, StoredMessage } from './types.js' */

/** A message with more characters is folded. */
const foldedLength = 1_200

/** The stored messages of a conversation, by their numbers. */
export class Timeline {
  #list
  #describeSender
  /** @type {StoredMessage[]} ascending */
  #messages = []
  #ids = new Set()

  /** @param {{ list: HTMLElement, describeSender: SenderOf }} options */
  constructor({ list, describeSender }) {
    this.#list = list
    this.#describeSender = describeSender
  }

  get firstSequence() {
    return this.#messages[0]?.sequence ?? 0
  }

  get lastSequence() {
    return this.#messages.at(-1)?.sequence ?? 0
  }

  /** @param {string} messageId */
  has(messageId) {
    return this.#ids.has(messageId)
  }

  /** Each message once, at the place of its number. @param {StoredMessage} message */
  add(message) {
    if (this.#ids.has(message.messageId)) return
    this.#ids.add(message.messageId)
    const at = this.#messages.findLastIndex(({ sequence }) => sequence < message.sequence) + 1
    this.#messages.splice(at, 0, message)
    const item = renderMessage(message, this.#describeSender(message), `#${message.sequence}`)
    this.#list.insertBefore(item, this.#list.children[at] ?? null)
  }
}

/** @typedef {(message: Message) => { name: string, isOwn: boolean }} SenderOf */

/**
 * @param {Message} message
 * @param {ReturnType<SenderOf>} sender
 * @param {string} [number]
 */
export function renderMessage({ messageId, content, timestamp }, { name, isOwn }, number) {
  const sender = element('span', { class: 'sender', dir: 'auto' }, name)
  const heading = element('p', { class: 'heading' }, sender, isOwn ? ' (you) · ' : ' · ', time(timestamp))
  if (number) heading.append(' · ', element('span', { class: 'number' }, number))
  const text = element('p', { class: 'content', dir: 'auto', id: `content-${messageId}` }, content)
  const item = element('li', { class: isOwn ? 'message own' : 'message' }, heading, text)
  if (content.length > foldedLength) fold(item, text)
  return item
}

/**
 * @param {HTMLElement} item
 * @param {HTMLElement} text
 */
function fold(item, text) {
  text.classList.add('folded')
  const toggle = button('Show all', () => {
    const isFolded = text.classList.toggle('folded')
    toggle.setAttribute('aria-expanded', String(!isFolded))
    toggle.textContent = isFolded ? 'Show all' : 'Show less'
  })
  toggle.setAttribute('aria-expanded', 'false')
  toggle.setAttribute('aria-controls', text.id)
  item.append(toggle)
}

// @ts-check

/** @import { User } from './types.js' */

/** How far a user has read each conversation, as this browser remembers it. */
export class ReadMarks {
  #key
  /** @type {Record<string, number>} */
  #marks

  /** @param {User} user */
  constructor({ tenantId, userId }) {
    this.#key = `read ${tenantId} ${userId}`
    this.#marks = JSON.parse(localStorage.getItem(this.#key) ?? '{}')
  }

  /** The number of the last message that was seen; 0 for none. @param {string} conversationId */
  get(conversationId) {
    return this.#marks[conversationId] ?? 0
  }

  /**
   * @param {string} conversationId
   * @param {number} sequence
   */
  set(conversationId, sequence) {
    this.#marks[conversationId] = sequence
    localStorage.setItem(this.#key, JSON.stringify(this.#marks))
  }
}

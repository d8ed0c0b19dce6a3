// @ts-check
import { keep, readKept } from './storage.js'

/** @import { User } from './types.js' */

/** The place in each conversation up to which a user has read it, as this browser remembers it for all its windows. */
export class ReadMarks {
  #key

  /** @param {User} user */
  constructor({ tenantId, userId }) {
    this.#key = `read ${tenantId} ${userId}`
  }

  /** The number of the last message that was seen; 0 for none. @param {string} conversationId */
  get(conversationId) {
    return this.#read()[conversationId] ?? 0
  }

  /**
   * @param {string} conversationId
   * @param {number} sequence one that is lower than what is known changes nothing
   */
  raise(conversationId, sequence) {
    const marks = this.#read()
    if (sequence > (marks[conversationId] ?? 0))
      keep('localStorage', this.#key, { ...marks, [conversationId]: sequence })
  }

  /** @returns {Record<string, number>} */
  #read() {
    return readKept('localStorage', this.#key) ?? {}
  }
}

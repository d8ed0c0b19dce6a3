// @ts-check
import { keep, readKept } from './storage.js'

/** @import { Session } from './types.js' */

/**
 * The ids of the notifications that may have been accepted, by their content. The same content again has the same id, so that
 * nobody is notified twice. The window keeps them when it is loaded again.
 */
export class DoubtfulNotifications {
  #storageKey
  /** @type {Map<string, string>} */
  #idByContent

  /** @param {Session} session */
  constructor({ tenantId, userId }) {
    this.#storageKey = `doubtful notifications ${tenantId} ${userId}`
    this.#idByContent = new Map(readKept('sessionStorage', this.#storageKey))
  }

  /** @param {string} content */
  find(content) {
    return this.#idByContent.get(content)
  }

  /** @param {string} content @param {string} notificationId */
  add(content, notificationId) {
    this.#idByContent.set(content, notificationId)
    this.#keep()
  }

  /** @param {string} content */
  delete(content) {
    this.#idByContent.delete(content)
    this.#keep()
  }

  #keep() {
    keep('sessionStorage', this.#storageKey, this.#idByContent.size > 0 ? [...this.#idByContent] : undefined)
  }
}

// @ts-check

/** @import { Outgoing } from './outgoing.js' */

const isAccepted = (/** @type {Outgoing} */ { state }) => state === 'waiting' || state === 'sent' || state === 'refused'

/**
 * Keeps, for this window, the messages that the server has not accepted, so that a reload loses none of them.
 *
 * @param {string} key
 * @param {Outgoing[]} messages
 */
export function keepUnsent(key, messages) {
  const unsent = messages.filter((message) => !isAccepted(message))
  if (unsent.length > 0) sessionStorage.setItem(key, JSON.stringify(unsent))
  else sessionStorage.removeItem(key)
}

/**
 * @param {string} key
 * @returns {Outgoing[]}
 */
export const readUnsent = (key) => JSON.parse(sessionStorage.getItem(key) ?? '[]')

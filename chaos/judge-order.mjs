// @ts-check
import { findOvertakers } from '@mono/test-support/tools'

/**
 * @typedef {object} Order
 * @property {string[]} storedEarly messages whose sequence is lower than that of one that was confirmed before they were
 *   sent
 * @property {string[]} heardEarly messages that a subscriber heard first before such a one
 * @property {{ stored: number, heard: number }} judged of how many messages that is known
 */

/**
 * Whether the messages of each conversation were stored and broadcast in the order in which they were confirmed.
 * @param {Pick<import('./judge.mjs').Evidence, 'published' | 'effects' | 'hearings'> & { deadIds: Set<string> }} evidence
 * @returns {Order | undefined} undefined: the messages are in no conversation
 */
export function judgeOrder({ published, effects: { places }, hearings, deadIds }) {
  /** @type {Map<string, string[]>} */
  const conversations = new Map()
  // Left out: what was sent again because its outcome was unknown, of which an earlier copy may have arrived at any time;
  // what was given up, since a replay stores it at the end; and what is not the publisher's, such as poison and what a
  // replay has sent, of which nobody waited for a predecessor.
  for (const { id, conversation, outcome, timeouts } of published) {
    if (conversation === undefined || outcome !== 'confirmed' || timeouts > 0 || deadIds.has(id)) continue
    const ids = conversations.get(conversation)
    if (ids) ids.push(id)
    else conversations.set(conversation, [id])
  }
  if (conversations.size === 0) return undefined
  const findEarly = (/** @type {(id: string) => number | undefined} */ placeOf) =>
    [...conversations.values()].flatMap((ids) => findOvertakers(ids, placeOf))
  const hasPlace = (/** @type {(id: string) => number | undefined} */ placeOf) =>
    [...conversations.values()].flat().filter((id) => placeOf(id) !== undefined)

  const sequenceOf = (/** @type {string} */ id) => places.get(id)?.sequence
  const heard = hearings.map((hearing) => toHeardPlaces(hearing, places))
  return {
    storedEarly: findEarly(sequenceOf),
    heardEarly: heard.flatMap((heardPlaces) => findEarly((id) => heardPlaces.get(id))),
    judged: {
      stored: hasPlace(sequenceOf).length,
      heard: new Set(heard.flatMap((heardPlaces) => hasPlace((id) => heardPlaces.get(id)))).size,
    },
  }
}

/**
 * In which order a subscription heard the messages that it can have heard at their first broadcast: of one that was stored
 * before, it may hear a later broadcast only, that of a redelivery.
 * @param {import('./listener.mjs').Hearing} hearing
 * @param {import('./effects.mjs').Effects['places']} places
 */
function toHeardPlaces({ since, ids }, places) {
  const heardAll = [...ids].filter((id) => (places.get(id)?.at ?? 0) > since)
  return new Map(heardAll.map((id, place) => [id, place]))
}

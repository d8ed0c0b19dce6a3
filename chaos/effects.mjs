// @ts-check
import { workerOf } from '../scripts/workers.mjs'

/**
 * What was done of one queue's messages, as those see it for whom it was done.
 * @typedef {object} Effects
 * @property {Map<string, number>} counts how often, by message id
 * @property {number[]} times in milliseconds since 1970
 * @property {Map<string, { sequence: number, at: number }>} places in their conversations, by message id
 * @property {boolean} areComplete whoever a message was for, its effect is among them
 * @property {string[]} faults what is wrong with them as a whole
 */

/**
 * @param {import('../scripts/workers.mjs').QueueName} queue
 * @param {import('./stage.mjs').Stage} stage
 * @returns {Promise<Effects>}
 */
export async function readEffects(queue, { query, listMails, farEnds: { pushService } }) {
  const { readEffects: read, seesAllEffects = false, findFaults } = workerOf(queue)
  const effects = await read({
    query,
    listPushes: async () => pushService.received.map(({ payload, at }) => ({ tag: JSON.parse(payload).tag, at })),
    listMails,
  })
  /** @type {Map<string, number>} */
  const counts = new Map()
  /** @type {Effects['places']} */
  const places = new Map()
  for (const { id, at, sequence } of effects) {
    counts.set(id, (counts.get(id) ?? 0) + 1)
    if (sequence !== undefined) places.set(id, { sequence, at })
  }
  const faults = (await findFaults?.({ query })) ?? []
  return { counts, times: effects.map(({ at }) => at), places, areComplete: seesAllEffects, faults }
}

// @ts-check

/**
 * What was done of one queue's messages, as those see it for whom it was done.
 * @typedef {object} Effects
 * @property {Map<string, number>} counts how often, by message id
 * @property {number[]} times in milliseconds since 1970
 * @property {Map<string, number>} firstAt the time of the first, by message id
 * @property {boolean} areComplete whoever a message was for, its effect is among them
 * @property {string[]} faults what is wrong with them as a whole
 */

/** @type {Record<import('./messages.mjs').QueueName, (stage: import('./stage.mjs').Stage) => Promise<Effects>>} */
const readers = {
  async 'chat.messages'({ query }) {
    const rows = await query('SELECT message_id AS id, extract(epoch FROM stored_at) * 1000 AS at FROM chat.messages')
    const gaps = await query(`
      SELECT conversation_id, count(*) AS found, max(sequence) AS last FROM chat.messages
      GROUP BY tenant_id, conversation_id HAVING count(*) <> max(sequence)`)
    return {
      ...count(rows),
      areComplete: true,
      faults: gaps.map(
        ({ conversation_id, found, last }) => `${conversation_id}: ${found} messages, the last is number ${last}`,
      ),
    }
  },
  async 'audit.events'({ query }) {
    const rows = await query('SELECT event_id AS id, extract(epoch FROM recorded_at) * 1000 AS at FROM audit.events')
    return { ...count(rows), areComplete: true }
  },
  async 'push.notifications'({ farEnds }) {
    return count(farEnds.pushService.received.map(({ payload, at }) => ({ id: JSON.parse(payload).tag, at })))
  },
  async 'email.notifications'({ farEnds }) {
    return count(farEnds.mailCatcher.received.map(({ subject, at }) => ({ id: String(subject), at })))
  },
}

/**
 * @param {import('./messages.mjs').QueueName} queue
 * @param {import('./stage.mjs').Stage} stage
 */
export const readEffects = (queue, stage) => readers[queue](stage)

/**
 * @param {{ id: string, at: unknown }[]} effects
 * @returns {Effects}
 */
function count(effects) {
  /** @type {Map<string, number>} */
  const counts = new Map()
  /** @type {Map<string, number>} */
  const firstAt = new Map()
  for (const { id, at } of effects) {
    counts.set(id, (counts.get(id) ?? 0) + 1)
    firstAt.set(id, Math.min(Number(at), firstAt.get(id) ?? Number.POSITIVE_INFINITY))
  }
  return { counts, firstAt, times: effects.map(({ at }) => Number(at)), areComplete: false, faults: [] }
}

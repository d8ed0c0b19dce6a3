// @ts-check
import { waitUntilReady } from '../../scripts/services/wait-until-ready.mjs'
import { readEffects } from '../effects.mjs'
import { countQueue, deadLetterQueueOf } from '../queues.mjs'
import { replayAll } from '../replay-all.mjs'
import { toNestedId } from '../stray-messages.mjs'

/** README.md promises a minute or two. */
const limitMs = 120_000
const settleLimitMs = 180_000

/** @type {import('../scenario.mjs').Scenario} */
export const deepHeaders = {
  name: 'deep-headers',
  what: 'a message whose headers are nested thousands of levels deep, good ones behind it: it is given up alone, and passed over by a replay',
  seconds: 30,
  isTest: true,
  replicas: 1,
  goesOnWithin: 10,
  async fault({ stage, fleet, queues, sendNested, sendGood, listGood, takeForGood, short, note, reportFault }) {
    const allLevels = short ? [4000] : [3500, 4000, 8000]
    for (const [index, levels] of allLevels.entries()) {
      // Frozen, so that whoever is given the nested one is given as many good ones with it as the prefetch allows.
      fleet.freeze()
      for (const queue of queues) {
        await sendNested(queue, levels)
        await sendGood(queue, short ? 500 : 3000)
      }
      fleet.thaw()
      const since = performance.now()
      const until = async (
        /** @type {string} */ what,
        /** @type {() => Promise<string | undefined>} */ probe,
        timeoutMs = limitMs,
      ) => {
        const fault = await waitUntilReady(probe, { timeoutMs, intervalMs: 500 })
        if (fault !== undefined) reportFault(`${levels} levels: ${fault}`)
        else note(`${levels} levels: ${what} after ${((performance.now() - since) / 1000).toFixed(0)} s`)
      }
      await until('given up', () => findDeadLetterFault(index + 1))
      const findUnfinished = async () => (await findUndone()) ?? (await findDeadLetterFault(index + 1))
      await until('all good ones done', findUnfinished, settleLimitMs)
    }
    for (const queue of queues) await sendGood(queue, 1, { deadLettered: true })
    const replays = queues.map(async (queue) => {
      const fault = await replayAll(stage.brokerUrl, queue, { limitMs })
      if (fault !== undefined) reportFault(`${queue}: ${fault}`)
    })
    await Promise.all(replays)
    // A nested message that its worker could read was dead-lettered without its headers, so the replay succeeds.
    for (const queue of queues) {
      const { messageCount: unreadable } = await countQueue(stage.brokerUrl, deadLetterQueueOf(queue))
      for (const levels of allLevels.slice(0, allLevels.length - unreadable)) takeForGood(queue, toNestedId(levels))
    }

    /** @param {number} expected */
    async function findDeadLetterFault(expected) {
      for (const queue of queues) {
        const { messageCount } = await countQueue(stage.brokerUrl, deadLetterQueueOf(queue))
        if (messageCount !== expected) return `${queue} has ${messageCount} dead letters, expected ${expected}`
      }
      return undefined
    }

    async function findUndone() {
      for (const queue of queues) {
        const { counts } = await readEffects(queue, stage)
        const undone = listGood(queue).filter(({ id }) => !counts.has(id)).length
        if (undone > 0) return `${queue} has ${undone} good messages without effect`
      }
      return undefined
    }
  },
}

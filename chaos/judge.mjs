// @ts-check
import { toIndex } from '../scripts/workers.mjs'
import { judgeOrder } from './judge-order.mjs'

/**
 * Everything that is known of one queue when a scenario is over.
 * @typedef {object} Evidence
 * @property {import('../scripts/workers.mjs').QueueName} queue
 * @property {import('./publisher.mjs').Published[]} published
 * @property {import('./effects.mjs').Effects} effects
 * @property {import('./listener.mjs').Hearing[]} hearings of a subscriber to the broadcasts
 * @property {import('./queues.mjs').Found[]} dead
 * @property {import('./queues.mjs').Found[]} waiting in the work queue and its retry queues
 * @property {{ id: string, code: string }[]} poison what must be dead-lettered, and why
 * @property {string[]} mutated ids of those that may be dead-lettered or done, under whatever id they bear
 * @property {number} faultOverAt in milliseconds since 1970
 *
 * @typedef {object} Row
 * @property {string} queue
 * @property {number} sent
 * @property {number} confirmed
 * @property {number} refused
 * @property {number} unknown
 * @property {number} done distinct messages
 * @property {number} dead
 * @property {number} queued
 * @property {number} lost
 * @property {number} twice
 * @property {string | undefined} twiceBecause why that cannot be avoided
 * @property {number | undefined} outOfSequence messages that were stored or broadcast before a predecessor in their
 *   conversation; undefined: they are in no conversation
 * @property {{ stored: number, heard: number } | undefined} orderJudged of how many that is known
 * @property {number | undefined} goesOn seconds from the end of the fault to the first effect after it
 * @property {number | undefined} sendsAgain seconds from the end of the fault until the client was told that a message it
 *   sent after it is in the queue
 * @property {number | undefined} allDone seconds from the end of the fault to the last effect
 * @property {{ deadLettered: number, done: number } | undefined} mutated what became of them
 * @property {string[]} faults why the row is not as it must be
 */

/**
 * @param {Evidence} evidence
 * @param {import('./scenario.mjs').Scenario} scenario
 * @returns {Row}
 */
export function judge({ queue, published, effects, hearings, dead, waiting, poison, mutated, faultOverAt }, scenario) {
  const withOutcome = (/** @type {string} */ outcome) =>
    published.filter((each) => each.outcome === outcome).map(({ id }) => id)
  const confirmed = withOutcome('confirmed')
  const refused = withOutcome('refused')
  const deadIds = new Set(dead.map(({ id }) => id))
  const waitingIds = new Set(waiting.map(({ id }) => id))
  const order = judgeOrder({ published, effects, hearings, deadIds })
  const isDone = (/** @type {string} */ id) => effects.counts.has(id)
  const hasNobody = (/** @type {string} */ id) => scenario.mayHaveNobody?.(queue, toIndex(id)) === true
  const lost = confirmed.filter((id) => !isDone(id) && !deadIds.has(id) && !waitingIds.has(id) && !hasNobody(id))
  const afterwards = effects.times.filter((at) => at > faultOverAt)
  const toSeconds = (/** @type {number | undefined} */ at) => at && Math.max(0, (at - faultOverAt) / 1000)
  const sentAfterwards = published.filter(({ sentAt, outcome }) => sentAt > faultOverAt && outcome === 'confirmed')
  const goesOn = toSeconds(findFirst(afterwards))
  const sendsAgain = toSeconds(findFirst(sentAfterwards.map(({ settledAt }) => settledAt)))

  const known = new Set(published.map(({ id }) => id))
  const twice = [...effects.counts].filter(([id, times]) => known.has(id) && times > 1)
  const done = [...effects.counts.keys()].filter((id) => known.has(id))
  const strayIds = new Set([...poison.map(({ id }) => id), ...mutated])
  const {
    mayGiveUp,
    givesUpAs = [],
    mayDoTwice = {},
    twiceAtMost = Number.POSITIVE_INFINITY,
    goesOnWithin,
    sendsAgainWithin,
    freezesPublisher = false,
  } = scenario
  const poisonCodes = new Map(poison.map(({ id, code }) => [id, code]))
  const isOfAnotherCode = (/** @type {import('./queues.mjs').Found} */ { id, code = 'none' }) =>
    poisonCodes.has(id) ? poisonCodes.get(id) !== code : maybeGivenUp(id) && !givesUpAs.includes(code)
  const maybeGivenUp = (/** @type {string} */ id) => known.has(id) && mayGiveUp?.(queue, toIndex(id)) === true
  /** @type {[string, string[]][]} */
  const wrong = [
    ['lost', lost],
    ['done twice', mayDoTwice[queue] && twice.length <= twiceAtMost ? [] : twice.map(([id]) => id)],
    [
      'given up',
      dead.filter(({ id }) => !strayIds.has(id) && !maybeGivenUp(id)).map(({ id, code }) => `${id} (${code})`),
    ],
    ['poison that was not given up', [...poisonCodes.keys()].filter((id) => !deadIds.has(id))],
    ['given up for another reason', dead.filter(isOfAnotherCode).map(({ id, code }) => `${id} (${code})`)],
    [
      'settled too late',
      freezesPublisher ? [] : published.filter(isLate).map(({ id, longestMs }) => `${id} (${longestMs} ms)`),
    ],
    [
      'refused by no error of the client',
      published
        .filter(({ code }) => code !== undefined && !/^[A-Z_]+$/.test(code))
        .map(({ id, code }) => `${id} (${code})`),
    ],
    ['given up more than once', findRepeated(dead.map(({ id }) => id))],
    ['done and given up', [...deadIds].filter(isDone)],
    ['refused, yet done', refused.filter(isDone)],
    ['never sent, yet done', mutated.length > 0 ? [] : [...effects.counts.keys()].filter((id) => !known.has(id))],
    ['still queued', [...waitingIds]],
    ['stored before a predecessor', order?.storedEarly ?? []],
    ['heard before a predecessor', order?.heardEarly ?? []],
  ]
  const faults = [...effects.faults]
  for (const [what, ids] of wrong) {
    if (ids.length > 0) faults.push(`${ids.length} ${what}: ${ids.slice(0, 5).join(', ')}`)
  }
  const settledMutated = mutated.filter((id) => deadIds.has(id)).length + effects.counts.size - done.length
  if (effects.areComplete && settledMutated < mutated.length) {
    faults.push(`${mutated.length - settledMutated} mutated messages are neither done nor dead-lettered`)
  }
  if (goesOnWithin !== undefined && !(goesOn !== undefined && goesOn <= goesOnWithin)) {
    faults.push(`work did not go on within ${goesOnWithin} s`)
  }
  if (sendsAgainWithin !== undefined && !(sendsAgain !== undefined && sendsAgain <= sendsAgainWithin)) {
    faults.push(`the client did not send again within ${sendsAgainWithin} s`)
  }
  return {
    queue,
    sent: published.length,
    confirmed: confirmed.length,
    refused: refused.length,
    unknown: withOutcome('unknown').length,
    done: done.length,
    mutated:
      mutated.length === 0
        ? undefined
        : { deadLettered: mutated.filter((id) => deadIds.has(id)).length, done: effects.counts.size - done.length },
    dead: deadIds.size,
    queued: waitingIds.size,
    lost: lost.length,
    twice: twice.reduce((total, [, times]) => total + times - 1, 0),
    twiceBecause: twice.length > 0 ? mayDoTwice[queue] : undefined,
    outOfSequence: order && new Set([...order.storedEarly, ...order.heardEarly]).size,
    orderJudged: order?.judged,
    goesOn,
    sendsAgain,
    allDone: toSeconds(afterwards.length > 0 ? afterwards.reduce((last, at) => Math.max(last, at)) : undefined),
    faults,
  }
}

/** @param {number[]} times */
const findFirst = (times) => (times.length > 0 ? times.reduce((first, at) => Math.min(first, at)) : undefined)

/** The client's default deadline, and a second. */
const latestMs = 11_000

/** @param {import('./publisher.mjs').Published} published */
const isLate = ({ longestMs }) => longestMs > latestMs

/** @param {string[]} ids */
function findRepeated(ids) {
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))]
}
